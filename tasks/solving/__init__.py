"""Folders of pictures to files of answers: choose what to read, read it in batches, keep and write the answers."""
