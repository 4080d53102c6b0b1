"""Datasets made, described, proven and mended: each unit does one job on one shard or folder.

Other rooms import `recipe` for a dataset's identity and `totals` for what its shards add up to.
"""
