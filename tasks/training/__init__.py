"""From labelled pictures to a model: settings, spools of labelled spans, fitting, calibration.

`flows.train` calls `spool`, `fit` and `calibrate` in that order; other rooms import `settings`.
"""
