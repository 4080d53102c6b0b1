"""Everything that is kept on disk or in an object store: datasets, models, exports, the ledger of answers.

`storage.dataset.Dataset` is the public door to datasets. `storage.errors` has the errors of the whole project.
"""
