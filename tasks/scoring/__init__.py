"""Units that measure a model: metrics, evaluations and their reports, comparisons of two models, the book's procedure.

Flows import `evaluate`, `report`, `ladder_report`, `compare` and `reproduce`.
"""
