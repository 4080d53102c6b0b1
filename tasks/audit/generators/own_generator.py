"""An owner's generator: what it is, how it is called, and what it was when it was found."""

import hashlib
import os
import re
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from storage.errors import BadInput
from storage.texts import canonical, plain
from tasks.audit.generators.command_line import arguments_of
from tasks.audit.generators.pool import Pool
from tasks.audit.generators.processes.counter_texts import ALPHABET, LENGTHS
from tasks.audit.generators.processes.limits import Limits, limits_of
from tasks.audit.own_files import code_files
from tasks.exchange.rejects import LONGEST, fault_of

CALLABLE = re.compile(r"(?:.+\.py|[\w./-]+):[^\W\d][\w.]*")
GUIDE = "docs/audit-generators.md"
BATCH = 100  # pictures that a command with {count} draws at a time
_MOST_LETTERS = 200
_SCRIPT = 1 << 20  # bytes of a file that is named by a command and taken for its source


@dataclass(frozen=True)
class OwnGenerator:
    """A Python callable, or a command of any language.

    Parameters
    ----------
    kind : str
    given : str
        `module:function`, or the command.
    folder : str
        The working directory of what draws; modules and scripts are found there.
    seed : int
    alphabet, lengths : str, tuple of int
        Of the texts that it is asked for.
    takes_text, takes_rng : bool
        Whether it is told what to draw, and gets random numbers or a seed from here.
    source : str, optional
        SHA-256 of the callable's file.
    files : tuple of (str, str)
        Names and SHA-256 of the owner's files that draw: first a command's script, then what the code names.
    place : str
        Where the code is on this machine.
    limits : Limits
    """

    kind: Literal["callable", "command"]
    given: str
    folder: str
    seed: int
    alphabet: str
    lengths: tuple[int, ...]
    takes_text: bool
    takes_rng: bool
    source: str | None = None
    files: tuple[tuple[str, str], ...] = ()
    arguments: tuple[str, ...] = ()
    place: str = field(default="", compare=False)
    limits: Limits = field(default=Limits(), compare=False)

    @property
    def name(self) -> str:
        """Return a name for a folder: of the function and its module, or of the command's script or program."""
        if self.kind == "callable":
            words = re.split(r"[^\w]+", self.given.replace(".py:", ":"))
        else:
            script = self.files[0][0] if self.files else self.arguments[0]
            words = re.split(r"[^\w]+", Path(script).stem)
        return "-".join(word for word in words if word)[-60:].strip("-") or self.kind

    def record(self) -> dict[str, Any]:
        """Return what decides about the pictures, as JSON values without the folder of this machine."""
        found = asdict(self)
        for name in ("folder", "limits", "arguments", "place"):
            del found[name]
        return found | {"lengths": list(self.lengths), "files": [list(pair) for pair in self.files]}

    @property
    def batch(self) -> int:
        """Return how many pictures it draws at a time."""
        return BATCH if any("{count}" in argument for argument in self.arguments) else 1

    @property
    def digest(self) -> str:
        """Return the SHA-256 of the record."""
        return hashlib.sha256(canonical(self.record()).encode()).hexdigest()

    @property
    def code_digest(self) -> str:
        """Return the SHA-256 of the code that draws, whatever it is asked for."""
        called = self.given if self.kind == "command" else None
        return hashlib.sha256(canonical([called, self.source, self.files]).encode()).hexdigest()

    @property
    def whose(self) -> str:
        """Return what tells this generator from others of its name: its kind, its code's place, its function."""
        function = self.given.rpartition(":")[2] if self.kind == "callable" else ""
        return f"{self.kind} {self.place} {function}".strip()

    def spec(self) -> dict[str, Any]:
        """Return what a warden is told."""
        what = {"arguments": self.arguments} if self.kind == "command" else {"given": self.given}
        return spec_of(what, self.folder, self.limits)


def spec_of(what: dict[str, Any], folder: str, limits: Limits) -> dict[str, Any]:
    """Return what a warden is told: `given`, a callable, or `arguments` of a command, its folder and limits."""
    return what | {"folder": folder, "limits": limits.as_dict(), "python_path": os.environ.get("PYTHONPATH")}


def find_generator(
    given: str | None, command: str | None, *, alphabet: str | None = None, lengths: tuple[int, ...] | None = None,
    seed: int = 1, limits: Limits | None = None, folder: Path | None = None,
) -> OwnGenerator:  # fmt: skip
    """Find an owner's generator; a callable's module is imported, in a process of its own.

    Parameters
    ----------
    given : str, optional
        `module:function` or `file.py:function`.
    command : str, optional
        A command with the places {text}, {out}, {seed}, {index}, {folder} and {count}; either this or `given`.
    alphabet : str, optional
        The characters of the texts that it is asked for; by default A-Z and 0-9.
    lengths : tuple of int, optional
        The lengths of these texts, each equally often; by default 4 and 5.
    seed : int
        Of texts and random numbers.
    limits : Limits, optional
        By default those of the environment.
    folder : Path, optional
        Where modules and scripts are, by default the current folder.

    Raises
    ------
    BadInput, NotThere
        There is no such module, function or program, nobody knows how to call it, or an option breaks its rule.
    """
    if (given is None) == (command is None):
        raise BadInput("generator: must be a module:function or a --command, one of them")
    letters, sizes = _letters(alphabet), _sizes(lengths)
    chosen, place = limits or limits_of(), (folder or Path()).resolve()
    if command is not None:
        arguments = arguments_of(command, letters, place)
        takes_rng = any("{seed}" in argument for argument in arguments)
        takes_text = not any("{count}" in argument for argument in arguments)
        _require_asked(takes_text, command, alphabet, lengths)
        scripts = _scripts(arguments, place)
        return OwnGenerator(
            "command", command, str(place), seed, letters, sizes, takes_text, takes_rng, None,
            code_files(scripts, place), arguments, str(scripts[0] if scripts else place / arguments[0]), chosen,
        )  # fmt: skip
    if given is None or not CALLABLE.fullmatch(given):
        raise BadInput(f"generator: must be module:function, such as draw:draw or draw.py:draw; it is {given!r}")
    with Pool(spec_of({"given": given}, str(place), chosen), seed, 1) as pool:
        facts = pool.facts()
    if "what" in facts:
        if facts.get("refused"):
            raise BadInput(plain(facts["said"]))
        said = f": {plain(facts['said'])}" if facts["said"] else ""
        raise BadInput(f"{given}: importing it {facts['what']}{said}; mend the module, or see {GUIDE}")
    _require_asked(facts["takes_text"], given, alphabet, lengths)
    return OwnGenerator(
        "callable", given, str(place), seed, letters, sizes, facts["takes_text"], facts["takes_rng"], facts["source"],
        () if facts["file"] is None else code_files([Path(facts["file"])], place),
        place=facts["file"] or given, limits=chosen,
    )  # fmt: skip


def _require_asked(takes_text: bool, given: str, alphabet: str | None, lengths: tuple[int, ...] | None) -> None:
    """Refuse options about texts that the generator chooses."""
    for name, value in (("alphabet", alphabet), ("length", lengths)):
        if value is not None and not takes_text:
            raise BadInput(f"{name}: says what to ask a generator for; {plain(given)} chooses its texts itself")


def _letters(alphabet: str | None) -> str:
    letters = ALPHABET if alphabet is None else alphabet
    twice = sorted({letter for letter in letters if letters.count(letter) > 1})
    if not 1 <= len(letters) <= _MOST_LETTERS or twice:
        what = f"; {', '.join(twice)} comes again" if twice else ""
        raise BadInput(f"alphabet: must be 1 to {_MOST_LETTERS} characters, each once; it is {letters!r}{what}")
    if any(fault_of(letter, frozenset()) for letter in letters):
        raise BadInput(f"alphabet: must have no blank and no control character; it is {letters!r}")
    return letters


def _sizes(lengths: tuple[int, ...] | None) -> tuple[int, ...]:
    sizes = LENGTHS if lengths is None else tuple(sorted(set(lengths)))
    if not sizes or not 1 <= sizes[0] <= sizes[-1] <= LONGEST:
        raise BadInput(f"length: must be from 1 to {LONGEST} characters; it is {sizes}")
    return sizes


def _scripts(arguments: tuple[str, ...], folder: Path) -> list[Path]:
    """Return the files that a command names: its script first."""
    found = []
    for number, argument in enumerate(arguments):
        path = folder / argument
        with suppress(OSError, ValueError):
            if not path.is_file() or path.stat().st_size > _SCRIPT or not (number or "/" in argument):
                continue
            if number or path.read_bytes().startswith(b"#!"):  # the program itself is no owner's, unless a script
                found.append(path.resolve())
    return found
