"""Tables of labels: which columns count, and columns that say a label together."""
