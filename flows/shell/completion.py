"""Completion of the command line in bash, zsh and fish: scripts that ask this command for the words that fit.

An answer takes a tenth of a second, since nothing of Prefect is imported: options are read from the sources, names of
profiles, datasets and models from where they are.
"""

import os
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from flows.shell.options import SHARED_FLAGS, SHARED_VALUES, Options, commands, options_of

SUFFIXES = (".skops", ".onnx")  # of models; `storage.served_model` would bring more than its list
_HOME = "CAPTCHAS_HOME"
_TOP = ("--help", "--version", "--install-completion", "--show-completion")

BASH = """\
_captchas() {
    local IFS=$'\\n' words
    words=$(captchas --complete "$COMP_CWORD" "${COMP_WORDS[@]}" 2> /dev/null)
    COMPREPLY=($words)
}
complete -o default -o bashdefault -F _captchas captchas
"""
ZSH = """\
#compdef captchas
_captchas() {
    local -a found
    found=("${(@f)$(captchas --complete $((CURRENT - 1)) "${words[@]}" 2> /dev/null)}")
    found=(${found:#})
    (( ${#found} )) && compadd -- "${found[@]}" || _files
}
if [[ "${funcstack[1]}" == "_captchas" ]]; then  # the first Tab, with which zsh loads this file as the function
    _captchas "$@"
else
    compdef _captchas captchas
fi
"""
FISH = """\
function __captchas
    set -l before (commandline -opc)
    captchas --complete (count $before) $before (commandline -ct) 2> /dev/null
end
complete -c captchas -a '(__captchas)'
"""
SCRIPTS = {"bash": BASH, "zsh": ZSH, "fish": FISH}


def answer(arguments: Sequence[str]) -> int:
    """Run `--complete NUMBER WORD...`, `--show-completion [SHELL]` or `--install-completion [SHELL]`.

    Returns
    -------
    int
        The exit code.
    """
    option, _, joined = arguments[0].partition("=")
    given = [joined, *arguments[1:]] if joined else [*arguments[1:]]
    if option == "--complete":
        number = int(given[0]) if given and given[0].isdecimal() else 0
        _print(complete(given[2 : number + 1], given[number + 1] if number + 1 < len(given) else ""))
        return 0
    shell = given[0] if given else Path(os.environ.get("SHELL", "")).name
    if shell not in SCRIPTS or len(given) > 1:
        known = ", ".join(SCRIPTS)
        sys.stderr.write(f"captchas: {option}: must be one of {known}; it is {shell!r}; captchas {option} bash\n")
        return 2
    if option == "--show-completion":
        sys.stdout.write(SCRIPTS[shell])
        return 0
    return _install(shell)


def complete(before: Sequence[str], word: str) -> list[str]:
    """Return the words that may stand where `word` begins, after the words `before` it, without the program's name."""
    words = list(before)
    if word == "=" and words:  # bash divides `--model=` in two words
        word = ""
    elif len(words) > 1 and words[-1] == "=":
        words.pop()
    home = _home(words)
    at = next((number for number in range(len(words)) if words[number] in commands() and _free(words, number)), None)
    if at is None:
        if words[-1:] == ["--home"]:
            return []
        top = [*commands(), *_TOP, *_named(SHARED_FLAGS | SHARED_VALUES)]
        return _fitting(top if word.startswith("-") or not word else commands(), word)
    command = words[at]
    module, _, function = commands()[command].partition(":")
    options = options_of(module, function)
    rest = [*words[:at], *words[at + 1 :]]
    last = rest[-1].removeprefix("--").replace("-", "_") if rest and rest[-1].startswith("--") else ""
    if last in options.values | SHARED_VALUES:
        return _fitting(_values(command, last, options, home), word)
    if word.startswith("--") and "=" in word:  # zsh and fish do not divide it
        name, _, begun = word.partition("=")
        values = _values(command, name[2:].replace("-", "_"), options, home)
        return [f"{name}={value}" for value in _fitting(values, begun)]
    if word.startswith("-"):
        return _fitting(_named(options.flags | options.values | SHARED_FLAGS | SHARED_VALUES | {"help"}), word)
    place = _place(rest, options)
    return _fitting(_values(command, place, options, home), word) if place else []


def _free(words: list[str], number: int) -> bool:
    """Return whether a word is no value of an option before the command."""
    return number == 0 or words[number - 1] != "--home"


def _place(rest: list[str], options: Options) -> str | None:
    """Return the parameter that the next word without a name belongs to."""
    unnamed, skip = 0, False
    for word in rest:
        if skip:
            skip = False
        elif word.startswith("--"):
            name = word[2:].replace("-", "_")
            skip = "=" not in word and name in options.values | SHARED_VALUES
        else:
            unnamed += 1
    if not options.positional:
        return None
    last = options.positional[-1]
    return options.positional[unnamed] if unnamed < len(options.positional) else last if last in options.lists else None


def _values(command: str, parameter: str, options: Options, home: Path) -> Iterable[str]:
    """Return the values that a parameter may have; none where it is a file, a number or a text."""
    if parameter in options.choices:
        return options.choices[parameter]
    sources = _SOURCES.get(f"{command} {parameter}") or _SOURCES.get(parameter) or ()
    return [name for source in sources for name in source(home)]


def _profiles(_home: Path) -> list[str]:
    from tasks.profiles.built_in import NAMED

    return [*NAMED]


def _datasets(home: Path) -> list[str]:
    return sorted(file.parent.name for file in (home / "datasets").glob("*/manifest.json"))


def _models(home: Path) -> list[str]:
    from tasks.shipped import SHIPPED, STRANGERS

    own = [file.stem for file in (home / "models").glob("*") if file.suffix in SUFFIXES]
    return sorted({*own, SHIPPED.stem, STRANGERS.stem})


def _dictionaries(_home: Path) -> list[str]:
    return ["web2", "none"]


# Where the values of a parameter come from, by its name, or by a command's and its name.
_SOURCES: dict[str, tuple[Callable[[Path], list[str]], ...]] = {
    "profile": (_profiles,),
    "profiles": (_profiles,),
    "draw": (_profiles,),
    "profiles name": (_profiles,),
    "dataset": (_datasets,),
    "datasets": (_datasets,),
    "remove": (_datasets,),
    "model": (_models,),
    "inspect path": (_datasets, _models),
    "dictionary": (_dictionaries,),
}


def _named(names: Iterable[str]) -> list[str]:
    return sorted(f"--{name.replace('_', '-')}" for name in names)


def _fitting(words: Iterable[str], word: str) -> list[str]:
    """Return the words that begin so; none that a shell would divide."""
    return [one for one in words if one.startswith(word) and one.isprintable() and not any(map(str.isspace, one))]


def _print(words: Iterable[str]) -> None:
    sys.stdout.write("".join(f"{word}\n" for word in words))


def _home(words: list[str]) -> Path:
    for number, word in enumerate(words[:-1]):
        if word == "--home":
            return Path(words[number + 1]).expanduser()
    joined = [word.removeprefix("--home=") for word in words if word.startswith("--home=")]
    return Path(joined[0] if joined else os.environ.get(_HOME) or "data")


def _install(shell: str) -> int:
    """Write the script to where the shell looks for it, and say what else has to be done."""
    data = Path(os.environ.get("XDG_DATA_HOME") or "~/.local/share").expanduser()
    settings = Path(os.environ.get("XDG_CONFIG_HOME") or "~/.config").expanduser()
    file, then = {
        "bash": (
            data / "bash-completion/completions/captchas",
            "new shells complete with the package bash-completion; without it, add to ~/.bashrc:\n    source {file}",
        ),
        "zsh": (
            Path("~/.zfunc/_captchas").expanduser(),
            "add to ~/.zshrc, if it is not there:\n    fpath+=~/.zfunc; autoload -Uz compinit && compinit",
        ),
        "fish": (settings / "fish/completions/captchas.fish", "new shells complete"),
    }[shell]
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(SCRIPTS[shell], "utf-8")
    except OSError as error:
        sys.stderr.write(
            f"captchas: {file}: cannot be written ({error.strerror}); captchas --show-completion {shell}\n"
        )
        return 1
    sys.stdout.write(f"written: {file}\n{then.format(file=file)}\n")
    return 0
