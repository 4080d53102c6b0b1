"""The work: kernels turn arrays into arrays; units do one job on a dataset each and return a small receipt.

Beside the rooms stand `models` (describe, keep aside, compare with the served model, promote), `readers` (open a model
as a reader), `rates` (with intervals), `worker` (what a worker must have in common with the run), `warm` (compiles the
kernels), `compiled` (whether they are) and `shipped` (the model for whoever has none).
"""
