"""What the texts of a folder have in common, and a second reading of the pictures whose answers are unlike the others.

`in_common.py` has the statistics, `second_reading.py` reads pictures of any source, `unlike.py` those of a run.
"""
