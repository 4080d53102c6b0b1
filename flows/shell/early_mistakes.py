"""Whether a command line may have a mistake, by the sources of its command: said before Prefect is imported.

cyclopts words the mistake; here it is only suspected.
"""

import os
import re
import shlex
from collections.abc import Sequence
from difflib import get_close_matches

from flows.parameters import command_at, spelled
from flows.shell.commands import COMMANDS, HELP
from flows.shell.options import SHARED_FLAGS, SHARED_VALUES, Options, command_options
from storage.errors import BadInput

_NUMBER = re.compile(r"[+-]?(\d[\d_]*\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE | re.ASCII)
_WHOLE = re.compile(r"[+-]?\d[\d_]*", re.ASCII)
# What other programs call a command.
_MEANT = {
    "help": "--help", "version": "--version", "list": "datasets", "ls": "datasets", "rm": "datasets --remove",
    "info": "inspect", "read": "solve", "ocr": "solve", "predict": "solve", "draw": "generate", "fit": "train",
    "test": "evaluate", "check": "verify", "server": "up", "fonts": "profiles --fonts", "load": "import",
}  # fmt: skip


def require_command(arguments: Sequence[str]) -> None:
    """Raise `BadInput` if the first word is no command and no option that only tells."""
    at = command_at(arguments)
    if at is None or arguments[at] in COMMANDS or HELP.intersection(arguments):
        return
    given = arguments[at]
    if given.startswith("-"):
        raise BadInput(f"option {given!r}: must come after a command that has it; see captchas --help")
    if os.path.lexists(given):
        hint = f"to read pictures: captchas solve {shlex.quote(given)}"
    elif given in _MEANT:
        hint = f"for that: captchas {_MEANT[given]}"
    else:
        close = get_close_matches(given, COMMANDS, 1)
        hint = f"did you mean {close[0]!r}?" if close else "see captchas --help"
    raise BadInput(f"command {given!r}: must be one of {', '.join(COMMANDS)}; {hint}")


def may_be_mistaken(arguments: Sequence[str]) -> bool:
    """Return whether a command line has an option, a value or a number of arguments that its command does not take."""
    at, found = command_at(arguments), command_options(arguments)
    if at is None or found is None:
        return False
    options, tokens = found
    unnamed, named = 0, set()
    rest = iter(spelled(tokens))
    for token in rest:
        if not token.startswith("-") or token == "-":
            unnamed += 1
            continue
        name, joined, value = token.partition("=")
        name = name.removeprefix("--").replace("-", "_")
        flag = name in options.flags | SHARED_FLAGS or name.removeprefix("no_") in options.flags
        if not token.startswith("--") or not (flag or name in options.values | SHARED_VALUES):
            return True
        named.add(name)
        if not flag:
            value = value if joined else next(rest, "--")
            if (not joined and value.startswith("--")) or not _may_be(value, name, options):
                return True
    if arguments[at] == "solve":
        unnamed = min(unnamed, 1)  # it takes any number of pictures
    return _wrong_count(unnamed, named, options)


def _may_be(value: str, name: str, options: Options) -> bool:
    """Return whether an option may have a value."""
    if name in options.choices:
        return value in options.choices[name]
    kind = options.numbers.get(name)
    return kind is None or bool((_WHOLE if kind is int else _NUMBER).fullmatch(value))


def _wrong_count(unnamed: int, named: set[str], options: Options) -> bool:
    """Return whether values without a name are too many or too few, or an option is missing."""
    free = [name for name in options.positional if name not in named]
    lacking = [name for name in options.required - named if name not in free[:unnamed]]
    return bool(lacking) or (unnamed > len(free) and not (free and free[-1] in options.lists))
