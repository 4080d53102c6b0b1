"""Bytes and numbers close to the machine: packing, unpacking and multiplying for the other rooms' kernels.

Each file is a kernel: arrays in, arrays out. Every room above may import them.
"""
