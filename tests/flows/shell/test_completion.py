"""The shells' completion: the words that may stand there, and bash as people use it."""

import inspect
import os
import shutil
import stat
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from flows.shell.commands import COMMANDS
from flows.shell.completion import SCRIPTS, answer, complete
from flows.shell.examples import FIRST_STEPS
from flows.shell.options import commands, options_of
from tasks.profiles.built_in import NAMED

pytestmark = pytest.mark.filterwarnings("ignore")  # Prefect's, while it is imported

ROOT = Path(__file__).parents[3]


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    """A home with two datasets, a folder that is none, a model, and names that no shell can complete."""
    for name in ("mine", "mice", "two words", "new\nline"):
        (tmp_path / "datasets" / name).mkdir(parents=True)
        (tmp_path / "datasets" / name / "manifest.json").touch()
    (tmp_path / "datasets" / "mitten").mkdir()
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "own.onnx").touch()
    monkeypatch.setenv("CAPTCHAS_HOME", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(
    ("line", "word", "words"),
    [
        ("", "ev", {"evaluate"}),
        ("", "", {*COMMANDS, "--json", "--quiet", "--help", "--install-completion"}),
        ("--json", "doc", {"doctor"}),
        ("--home", "", set()),
        ("generate", "like-c", {"like-captcha"}),
        ("generate", "", {*NAMED}),
        ("generate book", "--wo", {"--words", "--workers"}),
        ("generate book --workers", "", set()),
        ("evaluate", "", {"ladder", "strangers", "own"}),
        ("evaluate ladder", "mi", {"mine", "mice"}),
        ("evaluate --split all ladder", "mi", {"mine", "mice"}),
        ("train mine", "", {"mine", "mice"}),
        ("solve", "", set()),
        ("solve x --model", "o", {"own"}),
        ("solve x --model =", "o", {"own"}),
        ("solve x --model", "=", {"own", "ladder", "strangers"}),
        ("solve x", "--model=o", {"--model=own"}),
        ("solve x --ranking", "", {"probability", "positions", "levenshtein", "none"}),
        ("export mine --format", "par", {"parquet"}),
        ("inspect", "", {"mine", "mice", "ladder", "strangers", "own"}),
        ("profiles", "bo", {"book"}),
        ("verify", "", {"mine", "mice"}),
        ("datasets --remove", "mic", {"mice"}),
        ("datasets", "--re", {"--remove"}),
        ("nonsense", "", {*COMMANDS, "--json", "--quiet", "--home"}),
    ],
)
def test_the_words_that_may_stand_there(home, line, word, words):
    found = set(complete(line.split(), word))
    if line in ("", "nonsense") and not word:
        assert words <= found
    else:
        assert found == words


def test_the_home_of_the_line_counts(home, monkeypatch):
    monkeypatch.setenv("CAPTCHAS_HOME", str(home / "elsewhere"))
    assert complete(["train"], "mi") == []
    assert complete(["--home", str(home), "train"], "mi") == complete(["train", f"--home={home}"], "mi")
    assert complete(["--home", str(home), "train"], "mi") == ["mice", "mine"]


def in_shell(name: str, parameter: inspect.Parameter) -> str:
    """Return what cyclopts calls a parameter."""
    given = [one.name for one in getattr(parameter.annotation, "__metadata__", ()) if getattr(one, "name", None)]
    return given[0][0].removeprefix("--") if given else name


@pytest.mark.parametrize("command", COMMANDS)
def test_options_are_those_that_the_command_takes(command):
    module, _, name = COMMANDS[command][0].partition(":")
    parameters = inspect.signature(getattr(import_module(module), name)).parameters
    found = options_of(module, name)
    assert found.flags | found.values == {in_shell(key, one) for key, one in parameters.items()}
    for option, values in found.choices.items():
        assert values and all(value in str([*_enumeration(parameters[option].annotation)]) for value in values)
    assert commands()[command] == COMMANDS[command][0]


def _enumeration(annotation) -> list[str]:
    kinds = [annotation, *getattr(annotation, "__args__", ())]
    return [one.value for kind in kinds if hasattr(kind, "__members__") for one in kind]


def test_nothing_heavy_is_imported():
    program = (
        "import sys, beating_captchas\n"
        "sys.argv = ['captchas', '--complete', '2', 'captchas', 'generate', 'bo']\n"
        "try: beating_captchas.main()\n"
        "except SystemExit as end: print(end.code, {'prefect', 'numpy', 'cyclopts', 'dask'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout == "book\n0 set()\n"


@pytest.fixture
def command(home, tmp_path) -> dict[str, str]:
    """An environment with a command of that name on PATH, as the installation makes it."""
    file = tmp_path / "bin" / "captchas"
    file.parent.mkdir()
    file.write_text(
        f"#!{sys.executable}\nimport sys\nsys.path.insert(0, {str(ROOT)!r})\n"
        "from beating_captchas import main\nmain()\n"
    )
    file.chmod(file.stat().st_mode | stat.S_IXUSR)
    return os.environ | {"PATH": f"{file.parent}:{os.environ['PATH']}"}


@pytest.mark.skipif(not shutil.which("bash"), reason="there is no bash")
def test_bash_completes(command, tmp_path):
    (tmp_path / "completion.bash").write_text(SCRIPTS["bash"])
    asked = "COMP_WORDS=(captchas train mi); COMP_CWORD=2; _captchas"
    script = f'source "$0"; {asked}; printf "%s\\n" "${{COMPREPLY[@]}}"; complete -p captchas'
    done = subprocess.run(
        ["bash", "-c", script, tmp_path / "completion.bash"], capture_output=True, text=True, check=True, env=command
    )
    assert done.stdout.splitlines()[:2] == ["mice", "mine"]
    assert done.stdout.splitlines()[2].endswith("-F _captchas captchas")


@pytest.mark.skipif(not shutil.which("zsh"), reason="there is no zsh")
@pytest.mark.parametrize("loading", ["autoload -U _captchas", "source $1/_captchas"])
def test_zsh_completes(command, tmp_path, loading):
    """Also with the first Tab, with which zsh loads the function from its folder."""
    (tmp_path / "_captchas").write_text(SCRIPTS["zsh"])
    script = (
        f'compdef() {{ : }}; compadd() {{ shift; print -l -- "$@" }}; fpath=($1); {loading}; '
        "words=(captchas train mi); CURRENT=3; _captchas"
    )
    done = subprocess.run(["zsh", "-f", "-c", script, "zsh", tmp_path], capture_output=True, text=True, check=True,
                          env=command)  # fmt: skip
    assert done.stdout.split() == ["mice", "mine"]


@pytest.mark.skipif(not shutil.which("fish"), reason="there is no fish")
def test_fish_completes(command, tmp_path):
    (tmp_path / "captchas.fish").write_text(SCRIPTS["fish"])
    script = (
        f"source {tmp_path}/captchas.fish; complete -C 'captchas train mi'; complete -C 'captchas solve x --model=o'"
    )
    done = subprocess.run(["fish", "-c", script], capture_output=True, text=True, check=True,
                          env=command | {"HOME": str(tmp_path)})  # fmt: skip
    assert {"mice", "mine", "--model=own"} <= set(done.stdout.split())


@pytest.mark.parametrize(
    ("shell", "file"),
    [
        ("bash", "share/bash-completion/completions/captchas"),
        ("zsh", ".zfunc/_captchas"),
        ("fish", "config/fish/completions/captchas.fish"),
    ],
)
def test_it_is_installed_where_the_shell_looks(tmp_path, monkeypatch, capsys, shell, file):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("SHELL", f"/bin/{shell}")
    assert answer(["--install-completion"]) == 0
    assert (tmp_path / file).read_text() == SCRIPTS[shell]
    assert str(tmp_path / file) in capsys.readouterr().out
    assert answer([f"--show-completion={shell}"]) == 0
    assert capsys.readouterr().out == SCRIPTS[shell]


def test_a_shell_that_is_not_known_is_told(monkeypatch, capsys):
    monkeypatch.setenv("SHELL", "/bin/tcsh")
    assert answer(["--install-completion"]) == 2
    assert "bash, zsh, fish" in capsys.readouterr().err
    assert "--install-completion" in FIRST_STEPS
