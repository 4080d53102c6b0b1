"""Object stores: their requests, retries, and the leases that are the locks there.

Only `storage.files` imports these.
"""
