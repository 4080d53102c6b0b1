"""Storage remembers, tasks work, flows decide: imports run one way, and each library has one home."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# What a folder may import besides the standard library.
MAY_IMPORT = {
    "flows": {"prefect", "pydantic", "dask", "distributed", "cyclopts", "rich", "flows", "tasks", "storage"},
    "tasks": {
        "numpy", "PIL", "fontTools", "english_words", "skimage", "sklearn", "numba", "rapidfuzz", "matplotlib",
        "threadpoolctl", "llvmlite",
        "tasks", "storage",
    },
    "storage": {"numpy", "h5py", "isal", "zlib_ng", "blake3", "skops", "filelock", "fsspec", "pyarrow", "storage"},
    "fonts": set(),
}  # fmt: skip
MAY_IMPORT_TOO = {"storage/models.py": {"sklearn"}}  # the network's class, to rebuild it from trusted types

# Nouns: arrays in, arrays out. They know errors, and the drawing knows what a block is.
KERNELS = {
    "classifier", "ranking", "raster", "drawing", "metrics", "pictures", "plots",
    "loading", "labels", "folders", "fit", "reader", "book", "fonts", "words", "specs", "formats",
    "ranges", "chance", "variation", "distortion", "noise", "deflate", "tally", "unaligned",
    "apart", "calibration", "curves", "ink", "lattice", "marking", "paths", "spans", "trie", "vectors", "products",
    "heights", "inflate", "polarity", "scanlines", "files",
}  # fmt: skip
KERNELS_MAY_KNOW = {"storage.errors"}
KERNELS_MAY_KNOW_TOO = {
    "drawing": {
        "storage.shards.shard.BLOCK",
        "storage.shards.shard.SPLITS",
        "storage.shards.shard.FORMAT",
        "storage.shards.shard.Block",
    },
    "chance": {"storage.shards.shard.BLOCK"},
    "tally": {"storage.shards.shard.SPLITS", "storage.shards.shard.Block"},
}

TOP = {
    "flows", "tasks", "storage", "fonts", "tests", "docs", ".ci", "pyproject.toml", "README.md", "prefect.yaml",
    "Makefile", "constraints.txt", "LICENSE", "CHANGELOG.md", ".gitignore",
}  # fmt: skip
NO_NAMES = {"utils", "util", "helpers", "helper", "common", "misc"}
MOST_LINES = 320


def package_files(root: Path) -> list[Path]:
    return sorted(path for folder in MAY_IMPORT for path in (root / folder).rglob("*.py"))


def imported(tree: ast.Module, path: Path, root: Path) -> list[tuple[int, str]]:
    """(line, dotted name) of every import in a file, inside functions too, and of `import_module('...')`."""
    found = []
    package = path.relative_to(root).parent.parts
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) + 1 - node.level] if node.level else ()
            module = (*above, *filter(None, [node.module]))
            found += [(node.lineno, ".".join((*module, alias.name))) for alias in node.names]
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in {"import_module", "__import__"} and isinstance(node.args[0].value, str):
                found.append((node.lineno, node.args[0].value))
    return sorted(found)


def known(name: str, allowed: set[str]) -> bool:
    return any(name == one or name.startswith(one + ".") for one in allowed)


def foreign_imports(root: Path) -> list[str]:
    """Every import that the tables above do not allow, as `path:line: name`."""
    found = []
    for path in package_files(root):
        place = path.relative_to(root).as_posix()
        folder = place.partition("/")[0]
        libraries = set(sys.stdlib_module_names) | MAY_IMPORT[folder] | MAY_IMPORT_TOO.get(place, set())
        for line, name in imported(ast.parse(path.read_bytes()), path, root):
            top = name.partition(".")[0]
            kernel = folder == "tasks" and path.stem in KERNELS
            if top not in libraries or (
                kernel and top == "storage"
                and not known(name, KERNELS_MAY_KNOW | KERNELS_MAY_KNOW_TOO.get(path.stem, set()))
            ):  # fmt: skip
                found.append(f"{place}:{line}: {name}")
            elif kernel and top == "tasks" and not known(name, {f"tasks.{one}" for one in KERNELS}):
                found.append(f"{place}:{line}: {name}")  # a noun that needs a verb
    return found


def asserts(root: Path) -> list[str]:
    return [
        f"{path.relative_to(root).as_posix()}:{node.lineno}"
        for path in package_files(root)
        for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, ast.Assert)
    ]


def test_every_import_points_down_and_every_library_is_at_home():
    assert len(package_files(ROOT)) > 20
    assert foreign_imports(ROOT) == []


def plant(root: Path, place: str, source: str) -> None:
    path = root / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source)


@pytest.mark.parametrize(
    ("place", "source", "name"),
    [
        ("storage/x.py", "import os\nimport tasks.profiles.word_lists", "tasks.profiles.word_lists"),
        ("storage/x.py", "import os\nfrom flows import home", "flows.home"),
        ("storage/x.py", "import os\nimport sklearn", "sklearn"),
        ("storage/x.py", "import os\nfrom PIL import Image", "PIL.Image"),
        ("tasks/x.py", "def f():\n    from flows.home import home", "flows.home.home"),
        ("tasks/x.py", "class A:\n    import prefect", "prefect"),
        ("tasks/x.py", "if True:\n    import h5py", "h5py"),
        ("tasks/x.py", "import os\nfrom dask.distributed import Client", "dask.distributed.Client"),
        ("tasks/x.py", "import importlib\nimportlib.import_module('distributed')", "distributed"),
        ("tasks/x.py", "import os\n__import__('requests')", "requests"),
        ("tasks/profiles/word_lists.py", "import os\nfrom storage import atomic", "storage.files.atomic"),
        (
            "tasks/reading/features.py",
            "import os\nfrom storage.shards.shard import BLOCK",
            "storage.shards.shard.BLOCK",
        ),
        (
            "tasks/drawing/renderer.py",
            "import os\nfrom storage.shards.shard import Shard",
            "storage.shards.shard.Shard",
        ),
        ("tasks/scoring/metrics.py", "import os\nimport storage", "storage"),
        (
            "tasks/figures/contact_sheet.py",
            "import os\nfrom tasks.datasets.generate import survey",
            "tasks.datasets.generate.survey",
        ),
        ("flows/x.py", "import os\nimport numpy as np", "numpy"),
        ("flows/x.py", "import os\nfrom h5py import File", "h5py.File"),
        ("flows/deep/x.py", "from . import y\nfrom ...storage import z\nimport tests", "tests"),
        ("storage/x.py", "import os\nfrom .. import tasks", "tasks"),
        ("fonts/x.py", "import os\nimport storage", "storage"),
    ],
)
def test_a_planted_import_is_found(tmp_path, place, source, name):
    plant(tmp_path, place, source)
    assert [line.rpartition(" ")[2] for line in foreign_imports(tmp_path)] == [name]
    assert foreign_imports(tmp_path)[0].startswith(place + ":")


def test_what_the_tables_allow_passes(tmp_path):
    plant(tmp_path, "storage/models.py", "import sklearn\nfrom . import atomic\nfrom .shards import BLOCK")
    plant(
        tmp_path,
        "tasks/drawing/renderer.py",
        "from storage.errors import BadInput\nfrom storage.shards.shard import BLOCK, Block",
    )
    plant(
        tmp_path,
        "tasks/profiles/word_lists.py",
        "from storage.errors import BadInput\nfrom tasks import specs\nimport json",
    )
    plant(
        tmp_path,
        "tasks/datasets/generate.py",
        "from storage import atomic\nfrom tasks.drawing.renderer import Renderer\nimport PIL",
    )
    plant(tmp_path, "flows/x.py", "from __future__ import annotations\nimport dask.array\nfrom storage import dataset")
    assert foreign_imports(tmp_path) == []


def test_no_assert_guards_the_packages(tmp_path):
    assert asserts(ROOT) == []
    plant(tmp_path, "tasks/x.py", "def f(n):\n    assert n > 0, 'python -O takes this away'")
    assert asserts(tmp_path) == ["tasks/x.py:2"]


def test_every_file_is_named_for_what_it_holds():
    assert [path for path in package_files(ROOT) if path.stem in NO_NAMES] == []


def test_nothing_else_is_kept_at_the_top():
    listed = subprocess.run(["git", "ls-files"], capture_output=True, text=True, cwd=ROOT)
    if listed.returncode:
        pytest.skip("no git checkout")
    assert {name.split("/")[0] for name in listed.stdout.splitlines()} <= TOP


def test_no_file_grew_too_long():
    lengths = {path.relative_to(ROOT).as_posix(): path.read_bytes().count(b"\n") for path in package_files(ROOT)}
    assert {place: lines for place, lines in lengths.items() if lines > MOST_LINES} == {}


def test_tests_are_no_packages():
    """`tests/tasks/__init__.py` would shadow `tasks`."""
    assert list((ROOT / "tests").rglob("__init__.py")) == []


def test_workers_import_neither_prefect_nor_dask():
    """They cost a worker process 1 to 2 s; this proves of what is loaded what the table says of what is written."""
    modules = "tasks.datasets.generate, tasks.datasets.samples, tasks.exchange.export_part, tasks.datasets.prove, tasks.datasets.repair, tasks.exchange.ingest"
    script = f"import sys, {modules}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    assert {"tasks", "storage", "numpy"} <= set(run.stdout.split())
    assert set(run.stdout.split()) & {"prefect", "dask", "distributed", "flows"} == set()
