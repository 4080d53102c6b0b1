"""Dask workers of a run: a local or remote cluster, the jobs in flight on it, and which workers may take part."""
