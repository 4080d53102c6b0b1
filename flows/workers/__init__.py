"""Dask workers for a run: local processes or a cluster, a bounded fan-out over them, and who may take part.

Flows import `crew` and `cores` of cluster, `fan_out` of fanout, and the errors of roster.
"""
