"""The commands, a file each: they check parameters, run units on Dask workers, and show people the result."""
