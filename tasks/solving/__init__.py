"""Units that solve folders of pictures: choose files, read them in batches, move them, and write the answers."""
