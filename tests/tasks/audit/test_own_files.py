"""Which files of an owner's decide about the pictures: those that the code names, in any language."""

from pathlib import Path

import pytest

from tasks.audit.generators.own_generator import find_generator
from tasks.audit.own_files import code_files, folder_digest


def written(folder: Path, **files: str) -> Path:
    for name, content in files.items():
        path = folder / name.replace("__", "/").replace("_DOT_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return folder


def named(folder: Path, entry: str) -> list[str]:
    return [name for name, _ in code_files([folder / entry], folder)]


@pytest.mark.parametrize(
    ("script", "code"),
    [("draw.php", "<?php require_once __DIR__ . '/lib/inks.php';"), ("draw.rb", "require_relative 'lib/inks'"),
     ("draw.pl", "use lib 'lib'; use inks;"), ("draw.js", "const { ink } = require('./lib/inks')"),
     ("draw.py", "from lib.inks import ink"), ("draw.sh", ". lib/inks.sh")],
)  # fmt: skip
def test_what_code_names_is_found_in_every_language(tmp_path, script, code):
    (tmp_path / script).write_text(code)
    suffix = Path(script).suffix.replace("pl", "pm")
    inks = tmp_path / "lib" / f"inks{suffix}"
    inks.parent.mkdir()
    inks.write_text("font = 'Cabin.ttf'")
    (tmp_path / "Cabin.ttf").write_bytes(b"\0")
    (tmp_path / f"other{suffix}").write_text("that")
    (tmp_path / "data.json").write_text("{}")
    assert named(tmp_path, script) == [script, "Cabin.ttf", f"lib/inks{suffix}"]
    before = find_generator(None, f"true {script} {{text}} {{out}}", folder=tmp_path)
    inks.write_text("font = 'Cabin.ttf' ")
    after = find_generator(None, f"true {script} {{text}} {{out}}", folder=tmp_path)
    assert before.code_digest != after.code_digest and before.digest != after.digest
    assert before.name == after.name == "draw" and before.whose == after.whose


def test_what_is_only_spoken_of_does_not_count(tmp_path):
    """Else a change anywhere in a large project would be one of its CAPTCHA."""
    folder = written(
        tmp_path, draw_DOT_py="import inks\nDOC = 'such as models, views'\nsettings = 3  # from the settings\n",
        inks_DOT_py="def ink(rng):\n    return rng.choice(5)\n", models_DOT_py="1", views_DOT_py="2",
        settings_DOT_py="3", rng_DOT_py="4", choice_DOT_py="5",
    )  # fmt: skip
    assert named(folder, "draw.py") == ["draw.py", "inks.py"]


def test_of_files_of_one_name_the_nearest_counts(tmp_path):
    folder = written(
        tmp_path, draw_DOT_py="import inks", inks_DOT_py="1", old__inks_DOT_py="2", old__draw_DOT_py="3",
        node_modules__inks_DOT_js="4",
    )  # fmt: skip
    assert named(folder, "draw.py") == ["draw.py", "inks.py"]


def test_a_package_is_named_by_its_folder(tmp_path):
    folder = written(tmp_path, draw_DOT_py="import inks", inks__red_DOT_py="1")
    (folder / "inks" / "__init__.py").write_text("from . import red")
    assert {"draw.py", "inks/__init__.py", "inks/red.py"} <= set(named(folder, "draw.py"))


def test_a_folder_is_known_by_its_names_and_bytes(tmp_path):
    digests = []
    for name, content in (("a.png", "1"), ("a.png", "2"), ("b.png", "2")):
        for path in tmp_path.iterdir():
            path.unlink()
        (tmp_path / name).write_text(content)
        digests += [folder_digest(tmp_path), folder_digest(tmp_path)]
    assert digests[::2] == digests[1::2]
    assert len(set(digests)) == 3
