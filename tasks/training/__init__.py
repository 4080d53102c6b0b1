"""Units that make a model from labelled pictures: settings, spools of labelled spans, fitting, calibration."""
