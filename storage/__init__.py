"""Storage of the project: datasets in shards, models, exports and answers, in files or in object stores."""
