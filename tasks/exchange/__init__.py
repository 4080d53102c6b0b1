"""Datasets from and to other tools: import labelled pictures, export to the formats that others read."""
