"""Kernels that turn picture files of strangers into pictures in grey or colour, and refuse dangerous or broken files.

Other rooms import `listing` to list a folder, `safe_read` to read a file's bytes, and `decode` to decode them.
"""
