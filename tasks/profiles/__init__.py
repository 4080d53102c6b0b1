"""What to draw: profiles with their ranges, word lists and fonts. Nothing here reads or writes a dataset.

Other rooms import any of the files; `built_in` finds a profile by its name.
"""
