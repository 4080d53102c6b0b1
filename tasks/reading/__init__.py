"""Kernels that read pictures: straighten the ink, cut it into candidate letters, classify these, search words.

Other rooms import `reader`; `training` also imports the steps before it, so that it learns from what reading sees.
"""
