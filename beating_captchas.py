"""The `captchas` command begins here, under a name that is ours alone: others may have a `flows` or a `tasks` too."""

# Nothing here is read from a file: Ctrl-C during an import before `main` would show a traceback of it.
import os
import sys
from _signal import SIG_DFL, SIGINT, default_int_handler, getsignal, signal  # type: ignore[import-not-found]

OWN = ("flows", "tasks", "storage", "fonts")
_COMPLETION = ("--complete", "--show-completion", "--install-completion")


def clash() -> tuple[str, str] | None:
    """Look for another package in the place of one of ours; return what was found and the remedy, or None."""
    from pathlib import Path

    here = Path(__file__).resolve().parent
    for name in OWN:
        expected = here / name / "__init__.py"
        try:
            found = find_spec(name)
        except (ImportError, ValueError):  # a broken importer, or a module that was made by hand
            found = None
        places = (
            [place for place in (found.origin, *(found.submodule_search_locations or ())) if place] if found else []
        )
        if places and Path(places[0]).resolve() == expected:
            if _as_installed(str(expected), name):
                continue
            return f"the package {name!r} is another's, installed over ours: {expected} was changed", _REINSTALL_ALONE
        if not places or not expected.is_file():
            return f"the package {name!r} is not whole: {expected} is not there", _REINSTALL
        remedy = (
            f"rename that package, take its folder off PYTHONPATH (now {os.environ.get('PYTHONPATH', 'not set')}), or "
            "install this project into an environment of its own"
        )
        return f"the package {name!r} is another's: Python finds {places[0]}, not {expected}", remedy
    return None


def find_spec(name: str):  # type: ignore[no-untyped-def]  # its type is importlib's, which takes long to import
    """Find a package as Python does."""
    from importlib.util import find_spec as find

    return find(name)


def _as_installed(place: str, name: str) -> bool:
    """Return whether a file is as pip recorded it; True where pip recorded none, as in a clone."""
    from pathlib import Path

    file = Path(place)
    for record in file.parents[1].glob("beating_captchas-*.dist-info/RECORD"):
        for line in record.read_text(encoding="utf-8").splitlines():
            if line.startswith(f"{name}/__init__.py,sha256="):
                import base64
                import hashlib

                digest = base64.urlsafe_b64encode(hashlib.sha256(file.read_bytes()).digest()).decode().rstrip("=")
                return line.split(",")[1] == f"sha256={digest}"
    return True


_REINSTALL_ALONE = (
    "install this project into an environment of its own, or remove the other package and install this project again: "
    f"{sys.executable} -m pip install --force-reinstall beating-captchas"
)
_REINSTALL = f"{sys.executable} -m pip install --force-reinstall beating-captchas"


def main() -> None:
    """Run the command line, unless Python would find other packages than ours, or lacks what it needs."""
    if getsignal(SIGINT) is default_int_handler:
        signal(SIGINT, SIG_DFL)  # until `run` answers it: else Ctrl-C shows a traceback of imports
    if sys.getfilesystemencoding() == "ascii":  # as with LC_ALL=C: no other name could be read, written or shown
        os.environ["PYTHONUTF8"] = "1"  # for the processes that a command starts too
        os.execv(sys.executable, [sys.executable, "-X", "utf8", *sys.orig_argv[1:]])
    if found := clash():
        sys.exit(_refused("; ".join(found), 2))
    if sys.argv[1:] and sys.argv[1].partition("=")[0] in _COMPLETION:
        from flows.shell.completion import answer

        sys.exit(answer(sys.argv[1:]))
    try:
        from flows.__main__ import main as run
    except ImportError as error:
        if "doctor" in sys.argv[1:]:
            from flows.doctor import say_plainly

            sys.exit(say_plainly(sys.argv[1:]))
        sys.exit(_refused(f"Python cannot import what is needed ({error}); `captchas doctor` tells how to mend it", 1))
    run()


def _refused(message: str, code: int) -> int:
    sys.stderr.write(f"captchas: {message}\n")
    return code
