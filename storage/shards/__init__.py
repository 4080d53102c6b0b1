"""The HDF5 shards of a dataset and its manifest: names, writing, proof, and reading in batches.

The public door to these is `storage.dataset.Dataset`.
"""
