"""Kernels that read pictures: straighten the ink, cut it into candidate letters, classify these, search words.

Other rooms import `reader` to read, `ranking` for the ways to use a dictionary, and `features` and `networks` for what
a model file must fit. `training` also imports the steps before, so that it learns from what reading sees.
"""
