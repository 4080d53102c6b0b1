"""The work: kernels turn arrays into arrays; units do one job on a dataset each and return a small receipt."""
