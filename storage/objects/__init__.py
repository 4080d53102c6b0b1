"""Object stores: requests, their retries, and leases that stand for locks there.

Only `storage.files` and the cache of shards import these.
"""
