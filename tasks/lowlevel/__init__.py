"""Kernels close to the machine, for the other rooms' kernels: compression, vectors, matrix products."""
