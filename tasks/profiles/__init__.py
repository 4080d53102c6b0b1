"""What to draw: profiles with their ranges, word lists and fonts. Nothing here reads or writes a dataset."""
