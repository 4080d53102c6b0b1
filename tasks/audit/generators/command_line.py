"""A command as it was given -> its arguments; what needs a shell is refused, since none is started."""

import os
import re
import shlex
import shutil
from itertools import pairwise
from pathlib import Path

from storage.errors import BadInput, NotThere

PLACES = ("text", "out", "seed", "index", "folder", "count")
_PLACE = re.compile(r"\{([A-Za-z]+)\}")
_OPERATORS, _EXPANDED = "|&;<>()", "$`*~"
_CODE = frozenset({"-c", "-e", "-E", "-r"})  # options of shells and interpreters, before code
_ASSIGNED = re.compile(r"[A-Za-z_]\w*=")
LONGEST = 255  # bytes of a file's name
HARMLESS = re.compile(r"[\w.,:@%+=-]")  # characters that no shell and no program takes for something else
RUNNERS = {
    ".php": "php", ".pl": "perl", ".rb": "ruby", ".js": "node", ".cjs": "node", ".mjs": "node", ".sh": "sh",
    ".lua": "lua", ".jar": "java -jar",
}  # fmt: skip
EXAMPLE = "--command 'php draw.php {text} {out}'"


def arguments_of(command: str, alphabet: str, folder: Path) -> tuple[str, ...]:
    """Divide a command into its arguments, or name what is wrong.

    Parameters
    ----------
    alphabet : str
        The letters that {text} may hold.
    folder : Path
        Where the command runs.

    Raises
    ------
    BadInput
        It is empty or needs a shell, or has a place that is unknown, or a text would be taken for code.
    NotThere
        Its program is missing.
    """
    try:
        arguments = tuple(shlex.split(command))
    except ValueError as error:
        raise BadInput(f"command: cannot be divided into arguments ({error}); it is {command!r}") from error
    if not arguments:
        raise BadInput(f"command: must name a program, such as {EXAMPLE}; it is {command!r}")
    _require_no_shell(command, arguments)
    _require_places(arguments)
    _require_safe(arguments, alphabet)
    program = arguments[0]
    if len(os.fsencode(Path(program).name)) > LONGEST:
        raise BadInput(
            f"command: must name a program, such as {EXAMPLE}; its first word has {len(program):,} characters "
            f"({program[:40]}…)"
        )
    found = shutil.which(program) if "/" not in program else shutil.which(str(folder / program))
    if found is None:
        there = folder / program
        if there.is_file():
            raise BadInput(
                f"command: {program} is a file that cannot be run; name the program that runs it, such as "
                f"'{RUNNERS.get(there.suffix, 'PROGRAM')} {program} {{text}} {{out}}', or make it executable and write "
                f"./{Path(program).name}"
            )
        raise NotThere(f"command: no program {program!r} is on the PATH; install it, or give its path")
    _require_interpreter(program, Path(found))
    return arguments


def _require_interpreter(program: str, found: Path) -> None:
    """Refuse a script whose first line names a program that is not there: the system would say it of the script."""
    try:
        with found.open("rb") as file:
            named = re.match(rb"#![ \t]*([^ \t\n]+)", file.read(256))
    except OSError:  # who may run it need not be able to read it
        return
    if named and not Path(os.fsdecode(named[1])).exists():
        remedy = "mend that line, or name the program that runs it"
        if named[1].endswith(b"\r"):
            remedy = "end its lines with line feeds alone"
        raise NotThere(
            f"command: the first line of {program} names {os.fsdecode(named[1])!r}, which is not there; {remedy}"
        )


def _require_places(arguments: tuple[str, ...]) -> None:
    """Refuse places that are written otherwise, or do not go together."""
    found = _PLACE.findall(" ".join(arguments))
    for place in found:
        if place.lower() in PLACES and place not in PLACES:
            raise BadInput(f"command: places are written in small letters; it has {{{place}}}")
    if "count" in found and ("folder" not in found or {"text", "out"} & set(found)):
        raise BadInput(
            "command: {count} goes with {folder}, and not with {text} or {out}: so many pictures with texts of "
            "their own are drawn into the folder, each named for its text, or with a table of labels"
        )


def _require_no_shell(command: str, arguments: tuple[str, ...]) -> None:
    """Refuse what only a shell understands, outside of quotes."""
    found = _unquoted(command)
    what = ""
    if found:
        what = f"it has {found!r}"
    elif _ASSIGNED.match(arguments[0]):
        what = f"it begins with {arguments[0]!r}"
        if len(arguments) > 1:
            what += f" (without one: 'env {command}')"
    if what:
        raise BadInput(
            f"command: needs a shell, and none is started: {what}. Start one yourself, with the places as its "
            """arguments: --command 'sh -c "node draw.js \\"$1\\" | convert - \\"$2\\"" sh {text} {out}'; or put the """
            "line into a file draw.sh: --command 'sh draw.sh {text} {out}'"
        )


def _unquoted(command: str) -> str:
    """Return the first character outside of quotes that a shell would obey; '' if there is none."""
    quote, escaped, before = "", False, " "
    for character in command:
        if escaped:
            escaped = False
        elif character == "\\" and quote != "'":
            escaped = True
        elif quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character in _OPERATORS or (character in _EXPANDED and (character != "~" or before.isspace())):
            return character
        before = character
    return ""


def _require_safe(arguments: tuple[str, ...], alphabet: str) -> None:
    """Refuse a text within the code that a shell or an interpreter is given, if it could be taken for code."""
    foreign = next((letter for letter in alphabet if not HARMLESS.fullmatch(letter)), None)
    coded = next(
        (argument for before, argument in pairwise(arguments) if before in _CODE and "{text}" in argument),
        None,
    )
    if coded and foreign:
        raise BadInput(
            f"command: {{text}} stands within code ({coded!r}), which would take {foreign!r} of the alphabet for code "
            """too; give the text as an argument: sh -c 'node draw.js "$1"' sh {text}"""
        )
