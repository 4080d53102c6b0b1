"""Kernels that draw PNG files for people: contact sheets, score plots and comparisons of models."""
