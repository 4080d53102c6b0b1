"""An owner's own files: digests that tell whether they have changed since an audit."""

import ast
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from hashlib import file_digest, sha256
from pathlib import Path

from storage.texts import canonical
from tasks.loading.listing import list_names

CODE = frozenset({
    ".py", ".php", ".inc", ".phtml", ".pl", ".pm", ".rb", ".js", ".cjs", ".mjs", ".ts", ".sh", ".bash", ".lua", ".tcl",
    ".r", ".java", ".jar", ".class", ".go", ".rs", ".c", ".cc", ".cpp", ".h", ".hpp", ".cs", ".swift", ".kt", ".scm",
})  # fmt: skip
FONTS = frozenset({".ttf", ".otf", ".ttc", ".woff", ".pfb", ".pcf", ".bdf", ".gdf", ".fnt"})
NOT_OWN = frozenset({"__pycache__", "node_modules", "site-packages", "dist-packages", "vendor"})  # others' code
MOST_LOOKED_AT = 2_000  # names in an owner's folder, the nearest first
LARGEST = 1 << 20  # bytes of code that is read for names
_WORD = re.compile(rb"[\w-]+")
# What follows in a line names modules: statements of many languages at its beginning, calls anywhere.
_IMPORTS = re.compile(
    rb"^[ \t]*(?:<\?php\b[ \t]*)?#?[ \t]*(?:import|from|use|using|mod|source|load|require\w*|include\w*)\b(.*)"
    rb"|\b(?:require\w*|include\w*|import\w*|load\w*|source)\b[ \t]*[(\"'_](.*)",
    re.MULTILINE,
)
_FILE = re.compile(rb"[\w-]+\.\w+\b")  # a file by its whole name
_OF_FOLDER = frozenset({"__init__", "index", "mod"})  # files that stand for their folder


def folder_digest(folder: Path) -> str:
    """Return the SHA-256 of all names and bytes in a folder of pictures.

    Raises
    ------
    NotThere, BadInput
    """
    whole = sha256()
    for name in list_names(folder):
        whole.update(canonical([os.fsencode(name).hex(), _file_sha256(folder / name)]).encode())
    return whole.hexdigest()


def code_files(entries: Sequence[Path], folder: Path) -> tuple[tuple[str, str], ...]:
    """Return name and SHA-256 of the owner's files that draw: those given, and what they name.

    What Python imports is found as Python finds it. Else a file of code or a font in the folder counts if code that
    counts names it: with its ending anywhere, or without it in a line that requires, includes or uses. Of several files
    of one name, the nearest count. So a change of a module that is imported is seen, and a change of a file that has
    nothing to do with the drawing is not.

    Parameters
    ----------
    entries : sequence of Path
        Scripts or modules that are run first.
    folder : Path
        Names are looked for here and below, and beside the first of the entries.

    Returns
    -------
    tuple of (str, str)
        First the entries, then the others by name; paths within the folder.
    """
    roots = list(dict.fromkeys(path.resolve() for path in (folder, *(entry.parent for entry in entries[:1]))))
    given = [path.resolve() for path in entries]
    called: dict[bytes, list[Path]] = {}
    for path in dict.fromkeys(path for root in roots for path in _own(root)):
        for name in {_called(path), os.fsencode(path.name)}:
            called.setdefault(name, []).append(path)
    found: dict[Path, str] = {}
    # What has an entry's name elsewhere is not the entry.
    known = {name for path in given for name in (_called(path), os.fsencode(path.name))}
    new = given
    while new:
        found |= {path: _file_sha256(path) for path in new}
        words = set().union(*map(_words_in, new)) - known
        known |= words
        named = [path for word in sorted(words) for path in _nearest(called.get(word, []), roots)]
        imported = [path for source in new for path in _imported(source, roots)]
        new = [path for path in dict.fromkeys([*imported, *named]) if path not in found]
    others = sorted((_told(path, roots), found[path]) for path in found if path not in given)
    return tuple(pair for pair in [*((_told(path, roots), found[path]) for path in given), *others] if pair[1])


def _own(root: Path) -> Iterator[Path]:
    """List files of code and fonts below a folder, the nearest first."""
    looked, folders = 0, [root]
    while folders:
        try:
            entries = sorted(os.scandir(folders.pop(0)), key=lambda entry: entry.name)
        except OSError:
            continue
        for entry in entries:
            looked += 1
            if looked > MOST_LOOKED_AT:
                return
            if entry.name.startswith(".") or entry.name in NOT_OWN or entry.is_symlink():
                continue
            if entry.is_dir():
                folders.append(Path(entry.path))
            elif Path(entry.name).suffix.lower() in CODE | FONTS:
                yield Path(entry.path)


def _called(path: Path) -> bytes:
    """Return the word by which code names a file."""
    stem = path.parent.name if path.stem in _OF_FOLDER else path.stem
    return max(_WORD.findall(os.fsencode(stem)), key=len, default=b"")


def _words_in(path: Path) -> set[bytes]:
    """Return the words by which code may name other files; none in a file of another kind."""
    try:
        if path.suffix.lower() in FONTS or path.stat().st_size > LARGEST:
            return set()
        code = path.read_bytes()
    except OSError:
        return set()
    lines = b"\n".join(first or second for first, second in _IMPORTS.findall(code)) if path.suffix != ".py" else b""
    return {*_WORD.findall(lines), *_FILE.findall(code)}


def _imported(path: Path, roots: Sequence[Path]) -> Iterator[Path]:
    """Find the owner's modules that a Python file imports, in functions too."""
    if path.suffix != ".py":
        return
    try:
        tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            wanted = [(roots, alias.name.split(".")) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            places = [path.parents[min(node.level, len(path.parents)) - 1]] if node.level else roots
            module = node.module.split(".") if node.module else []
            wanted = [(places, [*module, *alias.name.split(".")]) for alias in node.names]
        else:
            continue
        for places, parts in wanted:
            yield from _modules(places, parts)


def _modules(places: Iterable[Path], parts: Sequence[str]) -> Iterator[Path]:
    """Return the files of a module and of the packages around it, in the first place that has them."""
    for place in places:
        files = [
            file
            for count in range(1, len(parts) + 1)
            for file in (
                place.joinpath(*parts[:count], "__init__.py"),
                place.joinpath(*parts[:count]).with_suffix(".py"),
            )
            if file.is_file() and not NOT_OWN.intersection(file.relative_to(place).parts)
        ]
        if files:
            yield from (file.resolve() for file in files)
            return


def _file_sha256(path: Path) -> str:
    """Return a file's SHA-256; '' for what is no file or cannot be read."""
    try:
        if path.is_file():
            with path.open("rb") as file:
                return file_digest(file, "sha256").hexdigest()
    except OSError:
        pass
    return ""


def _nearest(paths: Sequence[Path], roots: Sequence[Path]) -> list[Path]:
    """Return those of some files of one name that are least deep in an owner's folders."""
    depths = [len(Path(_told(path, roots)).parts) for path in paths]
    return [path for path, depth in zip(paths, depths, strict=True) if depth == min(depths)]


def _told(path: Path, roots: Iterable[Path]) -> str:
    """Return a file's path within the folder that it was found in, without the place of that folder."""
    inside = [path.relative_to(root).as_posix() for root in roots if path.is_relative_to(root)]
    return min(inside, key=len, default=path.name)
