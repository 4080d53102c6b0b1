"""From labelled pictures to a model: settings, spools of labelled spans, fitting, calibration, the outcome.

`flows.train` calls `companion`, `spool`, `fit`, `outcome` and `calibrate` in that order; other rooms import `settings`.
"""
