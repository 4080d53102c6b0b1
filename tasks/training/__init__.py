"""From labelled pictures to a model: settings, spools of labelled spans, fitting, calibration.

The flow `train` calls these units in that order.
"""
