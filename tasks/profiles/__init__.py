"""Descriptions of pictures: profiles, their ranges, word lists and fonts. This room reads and writes no dataset."""
