"""Files that may hold labels or pictures, which the import does not read, and what a person can do."""

UNREADABLE = {
    ".xlsx": "save it as CSV", ".xls": "save it as CSV", ".ods": "save it as CSV", ".numbers": "export it as CSV",
    ".parquet": "write path and label of each picture into a labels.csv",
    ".arrow": "write path and label of each picture into a labels.csv",
    ".feather": "write path and label of each picture into a labels.csv",
    ".pkl": "write path and label of each picture into a labels.csv",
    ".npy": "write path and label of each picture into a labels.csv",
    ".npz": "write path and label of each picture into a labels.csv",
    ".mat": "write path and label of each picture into a labels.csv",
    ".yaml": "write path and label of each picture into a labels.csv",
    ".yml": "write path and label of each picture into a labels.csv",
}  # fmt: skip
PACKED = dict.fromkeys((".gz", ".bz2", ".xz", ".zst"), "unpack it first") | dict.fromkeys(  # if named as labels are
    (".db", ".sqlite", ".sqlite3", ".docx", ".doc", ".odt", ".rtf", ".pdf", ".html", ".md", ".ini", ".toml", ".sql"),
    "write path and label of each picture into a labels.csv",
)
HOLDERS = {  # of pictures, and how to take them out
    ".tar": "unpack it first: cd FOLDER && for f in *.tar; do tar -xf $f; done",
    ".zip": "unpack it first", ".tgz": "unpack it first", ".gz": "unpack it first", ".7z": "unpack it first",
    ".rar": "unpack it first",
    ".parquet": "export the dataset with `--format png`, or write its pictures into files",
    ".arrow": "write its pictures into files", ".tfrecord": "write its pictures into files",
    ".tfrecords": "write its pictures into files", ".mdb": "write its pictures into files",
    ".npz": "write its pictures into files", ".npy": "write its pictures into files",
    ".pkl": "write its pictures into files",
    ".h5": "the dataset that it was made from can be used as it is; export that with `--format png`",
    ".hdf5": "write its pictures into files",
}  # fmt: skip
