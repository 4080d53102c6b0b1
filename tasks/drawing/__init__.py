"""From a profile to a block of pictures: random parameters first, then letters, waves and noise.

The door is `renderer.Renderer`; the other files are its kernels and the ranges that they apply.
"""
