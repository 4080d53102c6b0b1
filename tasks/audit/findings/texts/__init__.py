"""Defects of the texts, whatever the pictures look like: uneven letters, few bits, texts that come again."""
