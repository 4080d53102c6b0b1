"""Kernels that draw blocks of pictures from a profile: random parameters, then letters, colours, waves and noise.

Other rooms import `renderer`, which also tells the split of each picture; the other files are its kernels.
"""
