"""The HDF5 shards of a dataset and its manifest: layout, writing, proof, reading in batches.

`storage.dataset.Dataset` is the public door to these.
"""
