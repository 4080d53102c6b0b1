"""Refuse inputs that are not there, and profiles that are wrong, before anything starts: to import Prefect takes long.

Whatever cannot be understood here is left to the command itself.
"""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from flows.home import dataset_folder, model_file, pictures_at
from flows.parameters import command_at, spelled
from flows.shell.options import SHARED_FLAGS, SHARED_VALUES, Options, options_of
from storage.errors import CaptchasError, NotThere
from storage.files.places import Place, is_url

NO_FILES = ("web2", "none", "")  # dictionaries that are no files
MANIFEST = "manifest.json"  # of a complete dataset; the module of manifests would bring HDF5
FONT_FILES = (".ttf", ".otf", ".ttc")


def require_inputs(arguments: Sequence[str], modules: dict[str, str]) -> None:
    """Refuse a command line that names an input which is not on this machine.

    Parameters
    ----------
    arguments : sequence of str
        The command line without the program's name.
    modules : dict of str to str
        The module of each command.

    Raises
    ------
    NotThere
        As the command itself raises it.
    BadInput
        A URL that no command takes, or a profile that has a mistake.
    """
    at = command_at(arguments)
    command = arguments[at] if at is not None else ""
    if at is None or command not in INPUTS or not "".join(arguments).isprintable():
        return  # names that cannot be shown are judged by the command
    given = given_values([*arguments[:at], *arguments[at + 1 :]], options_of(modules[command]))
    for parameter, require in INPUTS[command].items():
        if values := [value for value in given.get(parameter, ()) if value]:
            try:
                require(values)
            except CaptchasError:
                raise
            except OSError:  # a path that cannot be looked at
                return


def given_values(tokens: Sequence[str], options: Options) -> dict[str, list[str]]:
    """Return the values of a command line by parameter; none of a line that the command will not understand.

    Values without a name that are too many belong to the first parameter: `solve` takes several pictures.
    """
    found: dict[str, list[str]] = {}
    unnamed: list[str] = []
    rest = iter(spelled(tokens))
    for token in rest:
        if not token.startswith("-") or token == "-":
            unnamed.append(token)
            continue
        name, joined, value = token.removeprefix("--").partition("=")
        name = name.replace("-", "_")
        if name in options.flags | SHARED_FLAGS or name.removeprefix("no_") in options.flags:
            continue
        if name not in options.values | SHARED_VALUES:
            return {}
        value = value if joined else next(rest, "--")
        if value.startswith("--"):  # there is none
            return {}
        found.setdefault(name, []).append(value)
    for name in options.positional:
        count = len(unnamed) if name in options.lists else 1
        if name not in found and unnamed:
            found[name], unnamed = unnamed[:count], unnamed[count:]
    for name in options.positional[:1]:
        found.setdefault(name, []).extend(unnamed)
    return found


def _pictures(names: list[str]) -> None:
    for name in names:
        if name == "-" or is_url(name) or os.path.lexists(pictures_at(Path(name))):
            continue
        if len(names) > 1:
            raise NotThere(f"{name}: no such file; give pictures that are there")
        raise NotThere(f"{name}: no such file or folder; give a picture, or a folder of pictures")


def _models(names: list[str]) -> None:
    for name in names:
        file = model_file(name)
        if _lacks(file) or (isinstance(file, Path) and file.is_dir()):
            from storage.models import model_digest

            model_digest(file)


def _measured(names: list[str]) -> None:
    _models([name for name in names if name != "auto"])  # which stands for what solve reads with


def _datasets(names: list[str]) -> None:
    for name in names:
        folder = dataset_folder(name)
        if _lacks(folder / MANIFEST):
            from storage.shards.manifest import Manifest

            Manifest.read(folder)


def _proven(names: list[str]) -> None:
    for name in names:
        folder = dataset_folder(name)
        if _lacks(folder):
            raise NotThere(f"{folder}: no dataset there; `captchas datasets` lists those under the home")


def _word_lists(names: list[str]) -> None:
    for name in names:
        if name not in NO_FILES and _lacks(Path(name)):
            from tasks.profiles.word_lists import load_words

            load_words(name, "A", (1, 1))


def _fonts(names: list[str]) -> None:
    for name in names:
        path = Path(name).expanduser() if name.startswith("~/") else Path(name)
        if path.suffix.lower() in FONT_FILES and _lacks(path):
            raise NotThere(f"font {path}: no such file")


def _profile(names: list[str]) -> None:
    _profiles(names[:1])  # more are a mistake of another kind


def _profiles(names: list[str]) -> None:
    from tasks.profiles.built_in import find_profile

    for name in names:
        find_profile(name)


def _folders(names: list[str]) -> None:
    for name in names:
        if not is_url(name) and _lacks(Path(name)):
            raise NotThere(f"{name}: no such folder; check the path")


def _labels(names: list[str]) -> None:
    for name in names:
        if _lacks(Path(name)):
            raise NotThere(f"labels {name}: no such file; give a labels.csv or gt.txt")


def _lacks(path: Place) -> bool:
    """Return whether a path of this machine does not exist; a store is asked by the command."""
    return isinstance(path, Path) and not path.exists()


# The inputs of each command, by parameter: what is to be there before anything starts.
INPUTS: dict[str, dict[str, Callable[[list[str]], None]]] = {
    "solve": {"path": _pictures, "model": _models, "dictionary": _word_lists},
    "evaluate": {"model": _measured, "dataset": _datasets, "dictionary": _word_lists},
    "train": {"datasets": _datasets, "draw": _profiles},
    "export": {"dataset": _datasets},
    "import": {"folder": _folders, "labels": _labels},
    "verify": {"dataset": _proven, "font": _fonts, "words": _word_lists, "source": _folders},
    "generate": {"profile": _profile, "font": _fonts, "words": _word_lists},
    "explain": {"profile": _profile, "model": _models, "dictionary": _word_lists, "font": _fonts},
    "preview": {"profile": _profile, "font": _fonts, "words": _word_lists},
    "reproduce": {"font": _fonts},
    "serve": {"model": _models},
    "regenerate": {"profiles": _profiles},
}
