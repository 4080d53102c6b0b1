"""Kernels that find the ground and the inks of a picture in colour, and tell letters from lines, specks and patterns.

`tasks.loading.colour_ink` puts them together; no other room imports them.
"""
