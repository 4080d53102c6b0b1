"""Units that import labelled pictures as a dataset, and export datasets to the formats of other tools.

Importing goes through `labels`, `scan` and `ingest`; exporting through `export`, `export_part` and `formats`.
"""
