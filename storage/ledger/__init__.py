"""The ledger: an SQLite database of every picture that was solved, its answer and where it was moved.

`tasks.solving` and `flows.solve` import `ledger`; `database` is the connection below it.
"""
