"""The error of a file that is no network of this program."""


class Unfit(ValueError):
    """Something that no model of this program has: which, its value, and what is allowed."""
