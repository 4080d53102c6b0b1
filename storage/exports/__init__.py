"""Files and records of exports, and the two formats that need a library: Parquet and virtual HDF5.

`tasks.exchange` imports them.
"""
