"""Files of exports: the record of an export and its parts, Parquet, and virtual HDF5 over a dataset's shards."""
