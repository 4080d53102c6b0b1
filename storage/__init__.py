"""All that the project keeps: datasets in shards, models, exports and answers, in files or in object stores."""
