"""Storage remembers, tasks work, flows decide: imports run one way, and each library has one home."""

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# The rooms, each with what it may import: other rooms of its package, and libraries. A room is a folder, or a file that
# stands beside the folders. `flows` may import every room below it; `tasks` and `storage` only what is written here.
PLAIN = {"storage.errors"}
BLOCK = {"storage.errors", "storage.shards.shard.BLOCK", "storage.shards.shard.Block"}  # fmt: skip
STORAGE = {"storage"}
ROOMS = {
    "storage/texts.py": (set(), set()),
    "storage/errors.py": ({"storage.texts"}, set()),
    "storage/objects": ({"storage.errors"}, {"fsspec", "blake3"}),
    "storage/files": ({"storage.errors", "storage.objects"}, {"filelock", "blake3"}),
    "storage/shards": (
        {"storage.errors", "storage.files", "storage.texts"}, {"numpy", "h5py", "isal", "zlib_ng", "blake3"}
    ),
    "storage/exports": ({"storage.errors", "storage.texts", "storage.files", "storage.shards"}, {"pyarrow", "h5py"}),
    "storage/ledger": ({"storage.errors", "storage.files"}, {"blake3"}),
    "storage/audits.py": ({"storage.errors", "storage.files", "storage.texts"}, set()),
    "storage/dataset.py": ({"storage.errors", "storage.files", "storage.shards"}, {"numpy"}),
    "storage/skops_archive.py": (set(), {"numpy"}),
    "storage/learnt_texts.py": (set(), set()),
    "storage/model_files.py": ({"storage.errors", "storage.files", "storage.skops_archive"}, set()),
    "storage/served_model.py": ({"storage.errors", "storage.files"}, set()),
    "storage/pairs.py": ({"storage.files"}, set()),
    # skops and scikit-learn for writing only: a model file stays one that users of scikit-learn can open.
    "storage/models.py": (
        {"storage.errors", "storage.files", "storage.learnt_texts", "storage.model_files", "storage.skops_archive"},
        {"numpy", "skops", "sklearn"},
    ),
    "storage/networks": (set(), set()),
    "storage/deep_models.py": (
        {"storage.errors", "storage.files", "storage.learnt_texts", "storage.model_files", "storage.networks"},
        {"numpy", "onnx"},
    ),
    "storage/model_records.py": (
        {"storage.deep_models", "storage.errors", "storage.files", "storage.model_files", "storage.models"},
        set(),
    ),
    # Kernels: arrays in, arrays out. Of storage they know its errors, the figures its texts, the drawing its block.
    "tasks/rates.py": (set(), {"numpy"}),
    "tasks/forks.py": (set(), set()),
    "tasks/lowlevel": (set(), {"numpy", "numba", "llvmlite"}),
    "tasks/profiles": (PLAIN | {"storage.files.small_files"}, {"numpy", "PIL", "fontTools", "english_words"}),
    "tasks/drawing": (BLOCK | {"tasks.profiles", "tasks.lowlevel"}, {"numpy", "numba"}),
    # The loading also knows a file's stamp: it proves that a file is as it was when it was listed.
    "tasks/loading": (PLAIN | {"storage.files.stamps", "tasks.lowlevel"}, {"numpy", "numba", "PIL"}),
    # Of what a model learnt from the reading knows how long a text may be.
    "tasks/reading": (PLAIN | {"storage.learnt_texts", "tasks.lowlevel"}, {"numpy", "numba", "sklearn", "rapidfuzz"}),
    "tasks/figures": ({"storage.texts", "tasks.rates", "tasks.lowlevel"}, {"numpy", "PIL", "matplotlib"}),
    # Units: one job each, a small receipt out.
    "tasks/training": (
        STORAGE
        | {"tasks.drawing", "tasks.loading", "tasks.reading", "tasks.profiles", "tasks.rates", "tasks.lowlevel"},
        {"numpy", "scipy", "threadpoolctl"},
    ),
    # `learning` trains with torch, which an extra brings; what reads with a deep model never imports it.
    "tasks/deep": (
        STORAGE | {"tasks.datasets", "tasks.drawing", "tasks.lowlevel", "tasks.profiles", "tasks.rates",
                   "tasks.reading", "tasks.training"},
        {"numpy", "numba", "onnx", "onnxruntime", "torch"},
    ),
    "tasks/datasets": (
        STORAGE | {"tasks.drawing", "tasks.forks", "tasks.profiles", "tasks.figures", "tasks.lowlevel"},
        {"numpy", "numba", "PIL"},
    ),
    "tasks/exchange": (
        STORAGE | {"tasks.datasets", "tasks.drawing", "tasks.figures", "tasks.loading", "tasks.profiles",
                   "tasks.lowlevel"},
        {"numpy", "PIL", "yaml"},
    ),
    "tasks/worker.py": (STORAGE | {"tasks.datasets"}, set()),
    "tasks/models.py": (
        STORAGE | {"tasks.training", "tasks.reading", "tasks.rates"}, set()
    ),
    "tasks/plainer.py": ({"tasks.deep.pictures", "tasks.loading", "tasks.reading"}, {"numpy"}),
    "tasks/doubts.py": ({"tasks.deep", "tasks.loading", "tasks.plainer", "tasks.reading"}, {"numpy"}),
    "tasks/both_readers.py": ({"tasks.deep", "tasks.doubts", "tasks.loading", "tasks.reading"}, {"numpy"}),
    "tasks/readers.py": (
        STORAGE | {"tasks.both_readers", "tasks.deep", "tasks.doubts", "tasks.worker", "tasks.loading",
                   "tasks.reading", "tasks.profiles", "tasks.shipped"},
        {"numpy"},
    ),
    "tasks/scoring": (
        STORAGE | {"tasks.both_readers", "tasks.deep", "tasks.doubts", "tasks.readers", "tasks.worker", "tasks.loading",
                   "tasks.reading", "tasks.profiles", "tasks.figures", "tasks.rates", "tasks.lowlevel"},
        {"numpy", "PIL", "skimage", "sklearn"},
    ),
    "tasks/solving": (
        STORAGE
        | {"tasks.both_readers", "tasks.deep.deep_reader", "tasks.doubts", "tasks.readers", "tasks.shipped",
           "tasks.reading", "tasks.loading", "tasks.figures", "tasks.forks"},
        {"numpy"},
    ),
    "tasks/audit": (
        STORAGE | {"tasks.datasets", "tasks.deep", "tasks.doubts", "tasks.drawing", "tasks.exchange", "tasks.loading",
                   "tasks.lowlevel", "tasks.profiles", "tasks.rates", "tasks.readers", "tasks.reading",
                   "tasks.training"},
        {"numpy", "scipy", "PIL", "rapidfuzz", "ddddocr"},
    ),
    # It looks into every reader and into the book's network; only commands depend on it. scikit-learn trains the
    # networks that it shows; their figures are in `figures`.
    "tasks/explaining": (
        {"storage.errors", "storage.files.atomic", "storage.files.locks", "storage.texts", "tasks.both_readers",
         "tasks.datasets", "tasks.deep", "tasks.doubts", "tasks.figures", "tasks.loading", "tasks.lowlevel",
         "tasks.profiles", "tasks.readers", "tasks.reading", "tasks.scoring", "tasks.solving"},
        {"numpy", "PIL", "skimage", "sklearn", "threadpoolctl"},
    ),
    "tasks/warm.py": ({"tasks", "storage.deep_models"}, {"numpy"}),
    "tasks/compiled.py": ({"storage.errors", "tasks.lean_numba", "tasks.lowlevel"}, {"numpy"}),
    "tasks/shipped.py": (set(), set()),
    "tasks/lean_numba.py": ({"storage.errors"}, {"llvmlite", "numba", "numpy"}),
    "flows": (
        {"flows", "tasks", "storage"},
        {"prefect", "dask", "distributed", "cryptography", "cyclopts", "rich", "packaging", "beating_captchas"},
    ),
    "fonts": (set(), set()),
}  # fmt: skip
PACKAGES = ("flows", "tasks", "storage", "fonts")
MOST_FILES = 12  # of a room; the top of flows/ is an index of commands and may have more

TOP = {
    "flows", "tasks", "storage", "fonts", "tests", "docs", ".ci", "pyproject.toml", "README.md", "prefect.yaml",
    "beating_captchas.py",  # the command's beginning: its name has to differ from those that others may use too
    "Makefile", "constraints.txt", "LICENSE", "CHANGELOG.md", "CONTRIBUTING.md", ".pre-commit-config.yaml",
    ".gitignore",
}  # fmt: skip
NO_NAMES = {"utils", "util", "helpers", "helper", "common", "misc"}
MOST_LINES = 320


@cache
def parsed(path: Path) -> ast.Module:
    """Parse a file of the packages, or one that a test planted; several tests look at each."""
    return ast.parse(path.read_bytes())


def package_files(root: Path) -> list[Path]:
    return sorted(path for folder in PACKAGES for path in (root / folder).rglob("*.py"))


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


def room_of(place: str) -> str | None:
    """The room of a file: its folder, the package for files of `flows`, or the file itself; None for no room."""
    package, _, rest = place.partition("/")
    if package in ("flows", "fonts"):
        return package
    room = f"{package}/{rest.partition('/')[0]}"
    return room if room in ROOMS else None


def foreign_imports(root: Path) -> list[str]:
    """Every import that the table above does not allow, as `path:line: name`."""
    found = []
    for path in package_files(root):
        place = path.relative_to(root).as_posix()
        room = room_of(place)
        if room is None:
            if path.name != "__init__.py":
                found.append(f"{place}:0: in no room")
            continue
        rooms, libraries = ROOMS[room]
        own = room.removesuffix(".py").replace("/", ".")
        for line, name in imported(parsed(path), path, root):
            top = name.partition(".")[0]
            home = top in PACKAGES
            if not (known(name, rooms | {own}) if home else top in libraries | set(sys.stdlib_module_names)):
                found.append(f"{place}:{line}: {name}")
    return found


def unused(root: Path) -> list[str]:
    """Every entry of the table that no file of its room needs, as `room: name`."""
    names: dict[str, set[str]] = {room: set() for room in ROOMS}
    for path in package_files(root):
        room = room_of(path.relative_to(root).as_posix())
        names.get(room or "", set()).update(name for _, name in imported(parsed(path), path, root))
    return [
        f"{room}: {entry}"
        for room, allowed in ROOMS.items()
        for entry in sorted(set().union(*allowed))
        if not any(known(name, {entry}) for name in names[room])
    ]


def circles(root: Path) -> list[list[str]]:
    """Modules that import each other in a circle, each circle as the modules on its way."""
    modules = {
        path.relative_to(root).with_suffix("").as_posix().replace("/", "."): path for path in package_files(root)
    }
    edges = {}
    for module, path in modules.items():
        names = {name for _, name in imported(parsed(path), path, root)}
        edges[module] = {one for name in names for one in (name, name.rpartition(".")[0]) if one in modules}
    found = []
    for module in modules:
        ways, seen = [[module, one] for one in edges[module]], set()
        while ways:
            way = ways.pop()
            if way[-1] == module:
                found.append(way)
                break
            if way[-1] not in seen:
                seen.add(way[-1])
                ways += [[*way, one] for one in edges[way[-1]]]
    return found


def asserts(root: Path) -> list[str]:
    return [
        f"{path.relative_to(root).as_posix()}:{node.lineno}"
        for path in package_files(root)
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Assert)
    ]


def test_every_import_points_down_and_every_library_is_at_home():
    assert len(package_files(ROOT)) > 100
    assert foreign_imports(ROOT) == []


def plant(root: Path, place: str, source: str) -> None:
    path = root / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source)


def test_no_entry_of_the_table_is_more_than_the_rooms_need():
    assert unused(ROOT) == []


@pytest.mark.parametrize(
    ("place", "source", "name"),
    [
        ("storage/errors.py", "import os\nimport tasks.profiles", "tasks.profiles"),
        ("storage/dataset.py", "import os\nfrom flows import home", "flows.home"),
        ("storage/files/x.py", "import os\nimport sklearn", "sklearn"),
        ("storage/files/x.py", "import os\nfrom storage.shards.shard import BLOCK", "storage.shards.shard.BLOCK"),
        ("storage/shards/x.py", "import os\nfrom PIL import Image", "PIL.Image"),
        ("tasks/solving/x.py", "def f():\n    from flows.home import home", "flows.home.home"),
        ("tasks/solving/x.py", "class A:\n    import prefect", "prefect"),
        ("tasks/datasets/x.py", "if True:\n    import h5py", "h5py"),
        ("tasks/exchange/x.py", "import os\nfrom dask.distributed import Client", "dask.distributed.Client"),
        ("tasks/training/x.py", "import importlib\nimportlib.import_module('distributed')", "distributed"),
        ("tasks/worker.py", "import os\n__import__('requests')", "requests"),
        ("tasks/profiles/word_lists.py", "import os\nfrom storage.files import atomic", "storage.files.atomic"),
        ("tasks/reading/x.py", "import os\nfrom storage.shards.shard import BLOCK", "storage.shards.shard.BLOCK"),
        ("tasks/drawing/x.py", "import os\nfrom storage.shards.shard import Shard", "storage.shards.shard.Shard"),
        ("tasks/rates.py", "import os\nimport storage", "storage"),
        ("tasks/figures/x.py", "import os\nfrom tasks.scoring.metrics import Rate", "tasks.scoring.metrics.Rate"),
        ("tasks/datasets/x.py", "import os\nfrom tasks.exchange import scan", "tasks.exchange.scan"),
        ("tasks/models.py", "import os\nfrom tasks.solving.run import Inbox", "tasks.solving.run.Inbox"),
        ("flows/x.py", "import os\nimport numpy as np", "numpy"),
        ("flows/workers/x.py", "import os\nfrom h5py import File", "h5py.File"),
        ("flows/deep/x.py", "from . import y\nfrom ...storage import z\nimport tests", "tests"),
        ("storage/files/x.py", "import os\nfrom ... import tasks", "tasks"),
        ("fonts/x.py", "import os\nimport storage", "storage"),
        ("tasks/new/x.py", "import os", "room"),
        ("tasks/x.py", "import os", "room"),
    ],
)
def test_a_planted_import_is_found(tmp_path, place, source, name):
    plant(tmp_path, place, source)
    assert [line.rpartition(" ")[2] for line in foreign_imports(tmp_path)] == [name]
    assert foreign_imports(tmp_path)[0].startswith(place + ":")


def test_what_the_table_allows_passes(tmp_path):
    plant(tmp_path, "storage/models.py", "import sklearn\nfrom .files import atomic\nfrom .errors import Damaged")
    plant(tmp_path, "tasks/drawing/x.py", "from storage.errors import BadInput\nfrom storage.shards.shard import BLOCK")
    plant(tmp_path, "tasks/profiles/x.py", "from storage.errors import BadInput\nfrom . import ranges\nimport json")
    plant(
        tmp_path, "tasks/datasets/x.py", "from storage import dataset\nfrom tasks.drawing import renderer\nimport PIL"
    )
    plant(tmp_path, "flows/x.py", "from __future__ import annotations\nimport dask.array\nfrom storage import dataset")
    assert foreign_imports(tmp_path) == []


def test_no_modules_import_each_other_in_a_circle(tmp_path):
    assert circles(ROOT) == []
    plant(tmp_path, "tasks/solving/a.py", "from tasks.solving.b import f")
    plant(tmp_path, "tasks/solving/b.py", "def f():\n    from tasks.solving import c")
    plant(tmp_path, "tasks/solving/c.py", "import tasks.solving.a")
    assert [len(way) for way in circles(tmp_path)] == [4, 4, 4]


def test_rooms_have_few_files_and_say_what_they_are_for():
    for folder in sorted({path.parent for path in package_files(ROOT)}):
        files = [path for path in folder.glob("*.py") if path.name != "__init__.py"]
        assert len(files) <= MOST_FILES or folder == ROOT / "flows", folder
        said = ast.get_docstring(ast.parse((folder / "__init__.py").read_text()))
        assert said, folder
        assert ast.parse((folder / "__init__.py").read_text()).body[1:] == [], f"{folder}: imports nothing"


def test_no_two_files_bear_one_name():
    """Within a package: a stranger who looks for `ledger` finds one."""
    for package in PACKAGES:
        stems = [path.stem for path in package_files(ROOT) if path.is_relative_to(ROOT / package)]
        twice = {stem for stem in stems if stems.count(stem) > 1} - {"__init__"}
        assert twice == set()


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


def test_workers_import_neither_prefect_nor_dask_nor_matplotlib():
    """They cost a worker process 1 to 2 s; this proves of what is loaded what the table says of what is written.

    matplotlib is imported by the function that plots: it costs each command 0.3 s.
    """
    modules = ", ".join(
        ["tasks.datasets.generate", "tasks.datasets.samples", "tasks.datasets.prove", "tasks.datasets.repair",
         "tasks.exchange.ingest", "tasks.exchange.export_part", "tasks.scoring.report", "tasks.scoring.ladder_report",
         "tasks.solving.results", "tasks.figures.comparisons"]
    )  # fmt: skip
    script = f"import sys, {modules}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    assert {"tasks", "storage", "numpy"} <= set(run.stdout.split())
    assert set(run.stdout.split()) & {"prefect", "dask", "distributed", "flows", "matplotlib"} == set()
