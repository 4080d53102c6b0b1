"""Places (paths and URLs), atomic files, moves that replace nothing, and locks.

Everything that writes imports `atomic`, `places` and `locks` from here.
"""
