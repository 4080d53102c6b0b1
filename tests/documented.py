"""The commands in README and docs: found in blocks of code and in running text, and cut short to be run."""

import re
import shlex
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^ *```(\w*)[^\n]*\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
SHELL = ("", "sh", "bash", "console", "shell")  # languages of blocks in which commands stand
CONTINUED = re.compile(r"\\\n\s*")


def prose(text: str) -> str:
    """A page without its blocks of code."""
    return FENCE.sub("", text)


def commands_in(text: str) -> list[tuple[str, bool]]:
    """The command lines of a page, and whether each stands in a block of code, so that it has to be whole."""
    found: list[tuple[str, bool]] = []
    for language, block in FENCE.findall(text):
        for line in CONTINUED.sub(" ", block).splitlines() if language in SHELL else ():
            line = re.sub(r"^\s*(?:\$ )?(?:[A-Z_]+=\S+ )*(?:\.venv/bin/)?", "", line)
            if line.startswith("captchas "):
                found += [(part, True) for part in parts(line)]
    for span in re.findall(r"(?<!`)`([^`]+)`(?!`)", prose(text)):
        if span.startswith("captchas "):
            found += [(part, False) for part in parts(" ".join(span.split()))]
    return found


def parts(line: str) -> list[str]:
    """The commands of ours in a line of a shell, each without what follows it: a comment, a pipe, another command."""
    tokens = shlex.shlex(line, posix=True, punctuation_chars=True)
    tokens.whitespace_split, tokens.commenters = True, ""
    found: list[list[str]] = [[]]
    taken = True
    for token in tokens:
        if token.startswith("#"):
            break
        if set(token) <= set("();<>|&"):
            taken = token in ("&&", "||", ";", "|")
            found.append([])
        elif taken:
            found[-1].append(token)
    return [shlex.join(words) for words in found if words[:1] == ["captchas"]]


# What stands for a reader's own, and what takes its place in the folder that the tests make.
STANDS_FOR = {
    "A": "audits/before", "B": "audits/after", "DATASET": "mine", "FOLDER": "shots", "FORMAT": "png",
    "FILE": str(ROOT / "fonts/inter/Inter-Bold.otf"),
    "LABELLED-PICTURES": "pictures", "MINE": "mine", "MODEL": "mine", "NAME": "mine", "OTHERS": "inbox",
    "PATH": str(ROOT / "fonts/inter/Inter-Bold.otf"), "PICTURE": "picture.png", "PICTURE.png": "picture.png",
    "RUNG": "noise", "million": "inbox", "pictures/": "pictures",
    "tasks/strangers.onnx": str(ROOT / "tasks/strangers.onnx"),
}  # fmt: skip
# What a name stands for in a command that needs another.
STANDS_HERE = {
    "captchas verify NAME --repair": {"NAME": "book"},  # nothing can draw imported pictures again
    "captchas verify NAME --repair --source FOLDER": {"NAME": "shots"},  # FOLDER is where they came from
}
PICTURES, MINUTES, SPANS, WORDS, LETTERS = 160, 0.05, 20_000, 60, 300  # of short forms
# Options that make a command short, in place of its own or beside them; for `train` those of each kind of reader.
SHORT = {
    "generate": {"--count": PICTURES},
    "train": {"--shows": SPANS},
    "train --reader deep": {"--minutes": MINUTES},
    "regenerate": {"--count": PICTURES, "--shows": SPANS},
    "reproduce": {"--words": WORDS, "--letters": LETTERS},
    "audit": {"--minutes": 1},
    "audit --command": {"--minutes": 4},  # for programs that are slow to start on a busy machine
    "preview": {"--count": 8},
    "up": {"--port": 0},
}
UNASKED = {"datasets --remove": "--yes"}  # what a person at a terminal would answer


def short(line: str, bucket: str = "bucket") -> list[str]:
    """The arguments of a command line in its short form: few pictures, minutes and words, and the tests' own files."""
    names = STANDS_FOR | STANDS_HERE.get(line, {})
    tokens = [names.get(token, token).replace("s3://BUCKET", f"s3://{bucket}") for token in shlex.split(line)[1:]]
    tokens = [re.sub("^(/srv|/shared)/", "", token) for token in tokens]
    kinds = [kind for kind in SHORT if kind.split()[0] == tokens[0] and set(kind.split()) <= set(tokens)]
    below = tokens[0] == "audit" and tokens[1:2] in (["compare"], ["history"])
    for option, value in SHORT[kinds[-1]].items() if kinds and not below else ():
        if option in tokens:
            place = tokens.index(option) + 1
            tokens[place] = str(
                min(float(tokens[place]), value) if "." in str(value) else min(int(tokens[place]), value)
            )
        elif option not in ("--port",):
            tokens += [option, str(value)]
    return tokens + [answer for start, answer in UNASKED.items() if " ".join(tokens).startswith(start)]


def programs_in(text: str) -> list[str]:
    """The lines of a page that run other programs than `captchas`: `make`, Python, containers, servers."""
    found = []
    lines = [
        line
        for language, block in FENCE.findall(text)
        for line in (CONTINUED.sub(" ", block).splitlines() if language in SHELL else ())
    ]
    spans = [" ".join(span.split()) for span in re.findall(r"(?<!`)`([^`]+)`(?!`)", prose(text))]
    for line in [re.sub(r"\s#\s.*", "", line) for line in lines] + spans:
        for part in re.split(r" (?:&&|;) ", line.strip().removeprefix(".venv/bin/")):
            if re.match(rf"(?:{'|'.join(PROGRAMS)}) \S", part):
                found.append(part.strip())
    return found


PROGRAMS = ("make", "python3?", "pip", "docker", "prefect", "dask", "systemctl", "createuser")
