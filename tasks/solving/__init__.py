"""Units that solve folders of pictures: choose files, read them in batches, move them, and write the answers.

`flows.solve` imports them; `run` drives a run over an inbox, whose answers are kept by `storage.ledger`.
"""
