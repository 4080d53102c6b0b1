"""What a run shows of 200 hostile names: no control character, no markup, nothing that Prefect cannot keep."""

import json
import logging
import re
import unicodedata
from html import unescape
from types import SimpleNamespace

import numpy as np
import pytest
from markdown_it import MarkdownIt

from flows.reporting import artifacts, runs
from flows.reporting.artifacts import (
    show_all_verified,
    show_demo,
    show_drawn,
    show_evaluated,
    show_ladder,
    show_regenerated,
    show_report,
    show_reproduced,
    show_solved,
    show_trained,
    show_verified,
)
from flows.reporting.show import show
from flows.shell.interrupts import print_defect
from flows.shell.saying import say
from storage.errors import BadInput
from storage.texts import plain
from tasks.datasets.judge import Finding, State
from tasks.figures.contact_sheet import contact_sheet
from tasks.figures.scores import plot_confusion
from tasks.lowlevel.png_encoder import png

pytestmark = pytest.mark.filterwarnings("ignore")
UNFIT = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def fit(text: str) -> bool:
    """Whether text of several lines may be printed anywhere."""
    return all(character == "\n" or unicodedata.category(character) not in UNFIT for character in text)


def rendered(text: str) -> str:
    """Markdown as HTML, with tables, struck text and raw HTML."""
    return MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(text)


@pytest.fixture
def shown(monkeypatch) -> dict[str, list]:
    """What was given to Prefect: the rows of tables, the texts, and all descriptions."""
    kept: dict[str, list] = {"tables": [], "texts": [], "descriptions": []}

    def table(rows, key, description):
        kept["tables"].append(rows)
        kept["descriptions"].append(description)

    def text(text, key, description):
        kept["texts"].append(text)
        kept["descriptions"].append(description or "")

    monkeypatch.setattr(artifacts, "create_table_artifact", table)
    monkeypatch.setattr(artifacts, "create_markdown_artifact", text)
    return kept


def solved(names: list[str]) -> dict:
    """A report of `solve`."""
    failures = [{"path": name, "reason": f"no picture: {name}"} for name in names]
    return {"folder": names[0], "model": names[-1], "solved": 3, "failures": failures}


def renewed(name: str) -> dict:
    """A report of `regenerate`."""
    data = {"dataset": name, "count": 1, "drawn": 0}
    return {"replaced": True, "why": name, "pairs": None, "datasets": [data]} | dict.fromkeys(
        ("model", "before", "candidate"), name
    )


def trained(name: str) -> dict:
    """A report of `train`."""
    rates = {key: {"right": 1, "n": 2} for key in ("marked", "gate_passes")}
    numbers = dict.fromkeys(("letters", "spans", "shows", "seconds"), 1)
    return {"datasets": [{"name": name, "count": 1}], "classes": name, "kept": False} | rates | numbers


def evaluated(name: str) -> dict:
    """A report of `evaluate`."""
    rate = {"right": 1, "n": 2}
    return {"model": name, "dataset": name, "split": "test", "n": 2, "words": {"none": rate}, "cut_right": rate} | {
        "letters": {"macro_f1": 0.5}
    }


def test_artifacts_with_pictures(shown, hostile_names, tmp_path, monkeypatch):
    dot = png(np.zeros((2, 2), np.uint8))
    monkeypatch.setattr(artifacts, "dataset_sheet", lambda *_: dot)
    for name in hostile_names:
        folder = tmp_path / name
        folder.mkdir(parents=True, exist_ok=True)
        for file in (*artifacts.PLOTS, "ladder.png"):
            (folder / file).write_bytes(dot)
        (folder / "ladder.md").write_text("| rung |\n|---|\n| book |\n")
        shards = [{"shard": 0, "state": "made", "pictures": 2, "reason": name}]
        show_drawn({"shards": 1, "count": 2, "bytes": 3, "profile": name, name: name}, shards, folder)
        show_evaluated(evaluated(name), folder)
        show_ladder(folder)
        show_reproduced([{"step": name}], "| step |\n|---|\n", name, folder / "ladder.png")
    for text in (*shown["texts"], *shown["descriptions"], json.dumps(shown["tables"], ensure_ascii=False)):
        assert fit(text)
    for text in shown["texts"]:
        page = rendered(text)
        tags = "h1|h2|p|ul|li|code|table|thead|tbody|tr|th|td"
        assert not re.search(rf'<(?!/?({tags})>|img src="data:image/png;base64,[^"]*" alt="[^"<>]*" ?/>)', page), page
        assert page.count("<h1>") <= 1


def test_artifacts(shown, hostile_names, tmp_path):
    for name in hostile_names:
        show_solved(solved([name]), None, tmp_path / name, tmp_path / name / "answers.csv")
        show_report("import", {"folder": name, name: [name, {name: 1}]}, tmp_path / name)
        finding = Finding(name, State.FOREIGN, name, done=name)
        show_verified(
            {"findings": [{"what": name, "reason": name}], "source": {name: name}}, [finding], tmp_path / name
        )
        show_demo({"train": name, name: name})
        show_regenerated(renewed(name), tmp_path / name)
        show_trained(trained(name), tmp_path / name)
    for rows in shown["tables"]:
        text = json.dumps(rows, ensure_ascii=False)
        assert fit(text), text
    for text in shown["texts"] + shown["descriptions"]:
        assert fit(text)
        page = rendered(text.replace("# ", "", 1) if text.startswith("# ") else text)
        assert not re.search("<(?!/?(p|ul|li|code)>)", page), page
    pages = [unescape(rendered(text)) for text in shown["texts"][::5]]
    for name, page in zip(hostile_names, pages, strict=True):
        said = re.sub(r"</?\w+>", "", page) if "<" not in name else page
        for wanted in (plain(name).strip(), f"no picture: {plain(name)}".strip()):
            assert re.sub(r"\s+", " ", wanted) in re.sub(r"\s+", " ", said), (name, page)


def test_a_table_keeps_its_columns(shown, hostile_names):
    rows = [{"dataset": name, "state": "damaged", "a": 1, "b": 2, "c": 3, "d": name} for name in hostile_names]
    show_all_verified(rows, hostile_names)
    page = rendered(shown["texts"][0])
    assert page.count("<td>") == 6 * len(hostile_names)
    assert page.count("<li>") == len(hostile_names)
    assert not re.search("<(?!/?(h1|p|ul|li|table|thead|tbody|tr|th|td)>)", page)


@pytest.mark.parametrize("terminal", [False, True])
def test_the_shell(capsys, monkeypatch, hostile_names, terminal):
    monkeypatch.setattr("sys.stdout.isatty", lambda: terminal)
    monkeypatch.setenv("TERM", "dumb")  # without colours, which are escape sequences of rich's own
    monkeypatch.setenv("COLUMNS", "5000")  # a terminal's lines break between the words of a name
    for name in hostile_names:
        report = solved([name]) | {"none": None, name: name}
        show(dict(report), as_json=False)
        text = capsys.readouterr().out
        assert fit(text) and plain(name).strip() in text
        show(dict(report), as_json=True)
        text = capsys.readouterr().out
        assert fit(text) and json.loads(text.encode()) == report
        say(f"{name}: no such file")
        text = capsys.readouterr().err
        assert fit(text) and text == f"captchas: {plain(name)}: no such file\n"


def test_a_terminal_of_another_encoding(monkeypatch, hostile_names, tmp_path):
    with (tmp_path / "out").open("w", encoding="ascii") as file:
        monkeypatch.setattr("sys.stdout", file)
        for name in hostile_names:
            show(solved([name]), as_json=False)
            show(solved([name]), as_json=True)
    assert (tmp_path / "out").read_bytes().isascii()


def test_states_names_and_logs_of_runs(monkeypatch, hostile_names):
    logged: list[logging.LogRecord] = []
    logger = logging.getLogger("prefect.flow_runs")
    handler = logging.Handler()
    handler.emit = logged.append
    monkeypatch.setattr(runs, "get_run_logger", lambda: logger)
    logger.addHandler(handler)

    @runs.told
    def fails(name: str) -> dict:
        logger.error("%s is whole", name)
        try:
            raise ValueError(name)
        except ValueError:
            logger.exception("a defect")
        raise BadInput(f"{name}: no such file")

    try:
        for name in hostile_names:
            monkeypatch.setattr(runs, "flow_run", SimpleNamespace(id="a run", parameters={"path": name}))
            state = fails(name)
            assert fit(state.message) and state.message == plain(f"{name}: no such file")
            state.model_dump_json(exclude={"data"}).encode()
            assert fit(runs.named("solve", "path")())
    finally:
        logger.removeHandler(handler)
    said = [logging.Formatter().format(record) for record in logged]
    assert len(said) == 3 * len(hostile_names)
    assert all(map(fit, said))
    assert {len(text.splitlines()) for text in said[::3]} == {1}


def test_a_defect_of_ours(capsys, hostile_names):
    for name in hostile_names:
        print_defect(ValueError, ValueError(name), None)
        text = capsys.readouterr().err
        assert fit(text) and text.startswith("ValueError: ") and text.endswith("\n")
        text.encode()


def test_pictures_with_foreign_captions(hostile_names):
    images = np.full((len(hostile_names), 8, 8), 255, np.uint8)
    assert contact_sheet(images, hostile_names).startswith(b"\x89PNG")
    assert plot_confusion([[1, 2], [0, 3]], ["\x1b", "\udcff"], hostile_names[14] + "\ud800\n").startswith(b"\x89PNG")
