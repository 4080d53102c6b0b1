"""The commands, a file for each: which jobs run, where, with how many tries, and the reports for people.

Others import the flows themselves, `flows.arrays` (a dataset as Dask arrays) and `flows.home` (where things are kept).
"""
