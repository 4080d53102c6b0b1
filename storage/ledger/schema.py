"""The tables of the ledger, and the temporary table of a run."""

# `path` is a `key`, so that rows are sorted as a listing is. Pictures that were moved away come after all that are in
# the folder; `number` tells moved pictures of the same name apart. `target` is the path to which a picture was moved or
# will be moved; it is written before the file moves. `changes` counts the changes that affect a folder's results. The
# `results` of a run describe the file that it wrote.
SCHEMA = """
CREATE TABLE folders (id INTEGER PRIMARY KEY, path BLOB NOT NULL UNIQUE, changes INTEGER NOT NULL DEFAULT 0);
CREATE TABLE settings (id INTEGER PRIMARY KEY, model TEXT NOT NULL, text TEXT NOT NULL, UNIQUE (model, text));
CREATE TABLE runs (id INTEGER PRIMARY KEY AUTOINCREMENT, folder INTEGER NOT NULL, began INTEGER NOT NULL, results TEXT);
CREATE INDEX runs_of_folder ON runs (folder, id);
CREATE TABLE pictures (
    folder INTEGER NOT NULL, moved INTEGER NOT NULL DEFAULT 0, path BLOB NOT NULL, number INTEGER NOT NULL DEFAULT 0,
    size INTEGER NOT NULL, mtime INTEGER NOT NULL, digest BLOB, passing INTEGER NOT NULL, target BLOB,
    settings INTEGER NOT NULL, run INTEGER NOT NULL, answered INTEGER NOT NULL, gone INTEGER NOT NULL DEFAULT 0,
    word TEXT, confidence REAL, reading TEXT, reading_confidence REAL, second TEXT, second_confidence REAL,
    third TEXT, third_confidence REAL, segments INTEGER, status TEXT NOT NULL, reason TEXT,
    PRIMARY KEY (folder, moved, path, number)
) WITHOUT ROWID;
CREATE INDEX pictures_of_digest ON pictures (digest, settings) WHERE digest IS NOT NULL AND passing = 0
"""
WAITING = (
    "CREATE TEMP TABLE waiting (path BLOB PRIMARY KEY, size INTEGER, mtime INTEGER, digest BLOB) WITHOUT ROWID",
    "CREATE INDEX temp.waiting_of_digest ON waiting (digest, path)",
)
