"""What the project remembers: sealed shards, manifests, models, atomic files."""
