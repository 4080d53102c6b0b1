"""From picture files of strangers to grey pictures: list a folder, read a file safely, decode it, find its ink.

The doors are `listing` for folders, `safe_read` for bytes and `decode` for pictures.
"""
