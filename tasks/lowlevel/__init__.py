"""Kernels close to the machine, for the other rooms' kernels: compression, vectors, matrix products, grey PNG files.

Any room of `tasks` may import them.
"""
