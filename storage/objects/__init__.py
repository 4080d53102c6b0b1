"""Object stores: requests, retries, and leases that stand for locks. Only `files` and `shards` import these."""
