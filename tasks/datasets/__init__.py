"""Units that draw, describe, verify and repair datasets; each works on one shard or one folder.

Other rooms import `recipe` for a dataset's identity, `folder` to finish a dataset, and `totals` to add up its receipts.
Importing (`tasks.exchange`) also uses `generate` and `statistics`.
"""
