"""Explain: one picture's way through a reader, the inside of the book's network, and back-propagation, step by step.

`flows.explain` and `flows.solve_at_once` are the doors; nothing else depends on this room.
"""
