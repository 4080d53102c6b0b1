"""Kernels that draw PNG files for people: contact sheets, score plots and comparisons of models.

Other rooms import any of the files; they take numbers and pictures, and return the bytes of a file.
"""
