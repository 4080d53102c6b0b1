"""What to draw: profiles, their ranges and word lists, and font faces as bitmaps.

Others import `profile`, `built_in`, `ranges`, `word_lists` and `fonts`; nothing here reads or writes a dataset.
"""
