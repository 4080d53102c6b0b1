"""The HDF5 shards and the manifest of a dataset: their layout, writing, proving, and reading in batches.

Read datasets through `storage.dataset.Dataset`. Code that makes or proves shards imports from `shard`, `writer` and
`manifest`. `manifest_rules` refuses what a manifest may not say, such as the name of a shard elsewhere.
"""
