"""Every public function says what it takes and gives; mypy (`make check`) proves that it is true."""

import ast
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGES = ("flows", "tasks", "storage")
COMPILED = {"njit", "intrinsic", "jit"}  # numba finds the types of kernels itself


def is_kernel(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    names = {node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
             for one in function.decorator_list for node in ast.walk(one)}  # fmt: skip
    return bool(names & COMPILED)


def bare(root: Path) -> list[str]:
    """Public functions and methods that lack an annotation, as `path:line: name`; kernels are excepted."""
    found = []
    for path in sorted(path for package in PACKAGES for path in (root / package).rglob("*.py")):
        tree = ast.parse(path.read_bytes())
        bodies = [tree.body] + [node.body for node in tree.body if isinstance(node, ast.ClassDef)]
        for node in (node for body in bodies for node in body):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or is_kernel(node):
                continue
            if node.name.startswith("_") and not node.name.startswith("__"):
                continue
            given = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs, node.args.vararg, node.args.kwarg]
            missing = [one.arg for one in given if one and one.annotation is None and one.arg not in ("self", "cls")]
            if missing or (node.returns is None and node.name not in ("__init__", "__post_init__")):
                found.append(f"{path.relative_to(root).as_posix()}:{node.lineno}: {node.name}")
    return found


def test_public_functions_are_annotated():
    assert bare(ROOT) == []


def test_mypy_is_strict_but_for_kernels():
    config = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mypy"]
    strict = {name for name in config if name.startswith(("check_", "disallow_", "strict_", "warn_", "extra_"))}
    assert len(strict) >= 10 and all(config[name] for name in strict) and not config["implicit_reexport"]
    loose = {module for override in config["overrides"] if "ignore_missing_imports" not in override
             for module in override["module"]}  # fmt: skip
    assert "tasks.lowlevel.*" in loose  # a room of kernels
    for module in loose - {"tasks.lowlevel.*"}:
        tree = ast.parse((ROOT / f"{module.replace('.', '/')}.py").read_bytes())
        assert any(is_kernel(node) for node in tree.body if isinstance(node, ast.FunctionDef)), module


def test_a_bare_function_is_found(tmp_path):
    (tmp_path / "tasks").mkdir()
    (tmp_path / "tasks" / "x.py").write_text(
        "import numba\n\n@numba.njit(cache=True)\ndef kernel(a, b):\n    return a\n\ndef f(a) -> int:\n    return a\n\n"
        "def g(a: int):\n    return a\n\ndef _own(a):\n    return a\n\n"
        "class A:\n    def h(self, a):\n        return a\n"
        "    def whole(self, a: int) -> int:\n        return a\n"
    )
    assert [line.rpartition(" ")[2] for line in bare(tmp_path)] == ["f", "g", "h"]
