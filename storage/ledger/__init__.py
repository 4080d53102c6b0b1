"""The ledger: an SQLite database of every picture that was solved, its answer and where it was moved."""
