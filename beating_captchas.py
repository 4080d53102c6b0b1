"""The `captchas` command begins here, under a name that is ours alone: others may have a `flows` or a `tasks` too."""

import os
import sys
from importlib.util import find_spec
from pathlib import Path

OWN = ("flows", "tasks", "storage", "fonts")
_COMPLETION = ("--complete", "--show-completion", "--install-completion")


def clash() -> tuple[str, str] | None:
    """Look for another package in the place of one of ours; return what was found and the remedy, or None."""
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
            continue
        if not places or not expected.is_file():
            return f"the package {name!r} is not whole: {expected} is not there", _REINSTALL
        remedy = (
            f"rename that package, take its folder off PYTHONPATH (now {os.environ.get('PYTHONPATH', 'not set')}), or "
            "install this project into an environment of its own"
        )
        return f"the package {name!r} is another's: Python finds {places[0]}, not {expected}", remedy
    return None


_REINSTALL = f"{sys.executable} -m pip install --force-reinstall beating-captchas"


def main() -> None:
    """Run the command line, unless Python would find other packages than ours, or lacks what it needs."""
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
