"""The ledger of solved pictures: an SQLite database of each picture's answer and where its file is."""
