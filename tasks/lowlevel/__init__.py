"""Kernels close to the machine, for the other rooms' kernels: compression, vectors, matrix products, PNG files.

Any room of `tasks` may import them.
"""
