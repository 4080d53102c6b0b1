"""The work: kernels (arrays in, arrays out) and units (one job on a dataset, small receipt out)."""
