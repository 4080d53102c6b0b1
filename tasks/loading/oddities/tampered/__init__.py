"""Whole pictures that were tampered with: inverted in parts, their colours moved apart, barred, turned upside down.

Each file undoes one such thing in a picture as seen.
"""
