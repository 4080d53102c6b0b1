"""The commands, one file each: what runs, where, how often it is tried again, and what people are shown.

Others import the flows themselves, `flows.arrays` (a dataset as Dask arrays) and `flows.home` (where things are kept).
"""
