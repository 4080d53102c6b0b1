"""Exports in the making, and the two formats that need a library: Parquet and virtual HDF5."""
