"""Whole pictures that were tampered with: inverted in parts, their colours moved apart, or barred.

Each file undoes one such thing in a picture as seen.
"""
