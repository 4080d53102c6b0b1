"""All that the project keeps: datasets in shards, models, exports and answers, in files or in object stores.

`dataset` is the public door to a dataset, `models` reads and writes model files, `errors` has all packages' errors,
and the exit code that each gives a command.
"""
