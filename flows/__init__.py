"""The decisions: what runs, where, how often it is tried again, and what people are shown."""
