"""Files that may hold labels or pictures, which the import does not read, and what a person can do."""

import re

WRITE_TABLE = "write path and label of each picture into a labels.csv"
_TAKE_OUT = "write its pictures into files"
_UNPACK = "unpack it first"
UNREADABLE = dict.fromkeys((".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"), "save it as CSV")
UNREADABLE |= dict.fromkeys((".numbers", ".gsheet"), "export it as CSV")
UNREADABLE |= dict.fromkeys(
    (".parquet", ".arrow", ".feather", ".pkl", ".pickle", ".joblib", ".npy", ".npz", ".mat", ".orc", ".rds", ".sav",
     ".dta", ".duckdb", ".lmdb", ".mdb", ".tfrecord", ".tfrecords"),
    WRITE_TABLE,
)  # fmt: skip  # never unpickled: that would run what somebody wrote into the file
PACKED = dict.fromkeys((".gz", ".bz2", ".xz", ".zst", ".zip", ".tar", ".tgz", ".7z", ".rar"), _UNPACK) | dict.fromkeys(
    (".db", ".sqlite", ".sqlite3", ".docx", ".doc", ".odt", ".rtf", ".pdf", ".html", ".md", ".ini", ".toml", ".sql",
     ".h5", ".hdf5", ".pt", ".pth", ".msgpack", ".avro"),
    WRITE_TABLE,
)  # fmt: skip  # if named as labels are
HOLDERS = dict.fromkeys((".zip", ".tgz", ".gz", ".bz2", ".xz", ".zst", ".7z", ".rar"), _UNPACK) | {
    ".tar": f"{_UNPACK}: cd FOLDER && for f in *.tar; do tar -xf $f; done",
    ".parquet": f"export the dataset with `--format png`, or {_TAKE_OUT}",
    ".h5": f"if it was exported from a dataset here, export that with `--format png`; else {_TAKE_OUT}",
}  # of pictures, and how to take them out
HOLDERS |= dict.fromkeys(
    (".arrow", ".feather", ".tfrecord", ".tfrecords", ".mdb", ".npz", ".npy", ".pkl", ".pickle", ".joblib", ".hdf5",
     ".mat", ".pt", ".pth", ".db", ".sqlite", ".sqlite3", ".rec", ".idx3-ubyte", ".lance", ".beton", ".msgpack",
     ".avro", ".xlsx", ".xls", ".ods", ".docx", ".pdf", ".ipynb", ".bin"),
    _TAKE_OUT,
)  # fmt: skip
SAYING = dict.fromkeys(  # texts that may name pictures and what they show
    (
        ".hocr",
        ".html",
        ".htm",
        ".log",
        ".md",
        ".sql",
        ".py",
        ".js",
        ".json5",
        ".ipynb",
        ".yaml",
        ".yml",
        ".ini",
        ".toml",
    ),
    WRITE_TABLE,
)
BEGINNINGS = {  # of files that are named as text, and hold none
    b"PK\x03\x04": "a spreadsheet or an archive, whatever its name; save it as CSV, or unpack it",
    b"\xd0\xcf\x11\xe0": "an old spreadsheet, whatever its name; save it as CSV",
    b"\x1f\x8b": "packed, whatever its name; unpack it first",
    b"SQLite format 3\0": "a database, whatever its name; write path and label of each picture into a labels.csv",
    b"version https://git-lfs": "a pointer of Git LFS; fetch what it stands for with `git lfs pull`",
    b"<!DOCTYPE html": "a page of the web, whatever its name; download the file itself",
}
CODE = {".py", ".js", ".json5", ".ts", ".mjs", ".cjs", ".lua", ".rb", ".sh", ".bat", ".ps1", ".r", ".m", ".c", ".cpp",
        ".h", ".cs", ".java", ".go", ".rs", ".php", ".pl", ".ipynb", ".css"}  # fmt: skip
NO_LABELS = {  # programs, fonts, sounds, locks, caches, lists of classes: whatever their names
    ".exe", ".dll", ".so", ".o", ".pyc", ".class", ".jar", ".ttf", ".otf", ".woff", ".woff2", ".mp3", ".mp4", ".wav",
    ".avi", ".mov", ".mkv", ".lock", ".swp", ".cache", ".names", ".pbtxt", ".torrent", ".sig", ".asc",
}  # fmt: skip
LEFT_BEHIND = {  # also by programs that show pictures, whose indexes name all of them
    "thumbs.db", "ehthumbs.db", "desktop.ini", "picasa.ini", "zbthumbnail.info", "pspbrwse.jbf", "digikam4.db",
    "thumbnails-digikam.db", "fsviewer.db", "lock.mdb",
}  # fmt: skip
ABOUT = re.compile(  # a project, in files of any kind
    r"(?:licen[cs]e|copying|notice|authors|contributors|changelog|changes|requirements|makefile|dockerfile|citation)"
    r"(?:[-_.][^/]*)?"
)
_PART = re.compile(r"-\d+-of-\d+$")  # of several files, as TensorFlow numbers them


def kind_of(name: str) -> str:
    """Return the suffix of a file's name, in small letters, without the number of a part."""
    base = _PART.sub("", name.rpartition("/")[2].lower())
    return base[base.rfind(".") :] if "." in base[1:] else ""


def is_about_project(name: str) -> bool:
    """Return whether a file is a licence, a list of requirements or the like, by its name."""
    return ABOUT.fullmatch(name.rpartition("/")[2].lower()) is not None


def remedy_for_labels(name: str) -> str:
    """Return what a person can do with a file of labels that is no text; '' for one that may be."""
    packed = {kind: remedy for kind, remedy in PACKED.items() if kind in HOLDERS}
    return (dict.fromkeys(HOLDERS, WRITE_TABLE) | packed | UNREADABLE).get(kind_of(name), "")


def remedy_for(name: str) -> str:
    """Return what a person can do with a file that may hold labels or pictures; '' for one of another kind."""
    return (HOLDERS | SAYING | PACKED | UNREADABLE).get(kind_of(name), "")


def is_left_behind(name: str) -> bool:
    """Return whether a file is what programs leave: `Thumbs.db`, or `~$labels.xlsx` beside an open spreadsheet."""
    base = name.rpartition("/")[2]
    return base.startswith("~$") or base.lower() in LEFT_BEHIND
