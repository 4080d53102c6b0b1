"""Tables and Markdown reports as Prefect artifacts, which show the result of a run in Prefect's UI."""

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from prefect.artifacts import create_markdown_artifact, create_table_artifact

from flows.reporting.progress import artifact_key
from flows.reporting.reports import (
    EvaluationSummary,
    RankingRate,
    ReaderRate,
    RegenerateReport,
    ShardState,
    SolveReport,
    VerifiedDataset,
)
from flows.reporting.runs import as_lines, picture
from storage.files.places import Place
from storage.pairs import Readers
from storage.texts import code, markdown, plain, plain_values
from tasks.datasets.describe import dataset_sheet
from tasks.datasets.generate import DrawReport
from tasks.datasets.judge import Finding, VerifyReport, summary
from tasks.rates import Rate, RateRecord
from tasks.scoring.report import Evaluation, told_split

MOST_ROWS = 1000  # of a table: shards or findings
MOST_KINDS = 20  # kinds of repair that a report counts
SHOWN = 24  # pictures on the contact sheet of a new dataset
# The plots of an evaluation that Prefect's report shows: of eight, those that say most.
PLOTS = {"rates.png": "Words right by each parameter of drawing", "mistakes.png": "Mistakes"}
OUTCOMES = {
    "segments": "wrong: cut into too few or too many letters",
    "place": "wrong: the right number of letters, but at least one was cut elsewhere",
    "letter": "wrong: cut rightly, but at least one letter was taken for another",
    "damage": "wrong: read rightly, and changed into another word by the dictionary",
    "rescue": "right: read wrongly, and mended by the dictionary",
    "right": "right: read rightly",
}
FOR_PEOPLE = ("rates.png", "confusion.png", "failures.png", "reliability.png", "mistakes.png")


def as_table(content: Mapping[str, object]) -> list[dict[str, str]]:
    """Return a report as rows for a Prefect table artifact."""
    return [{"what": plain(key), "value": plain(value)} for key, value in content.items()]


def rate(content: RateRecord) -> str:
    """Return a rate of a report with its interval, as people read it."""
    return str(Rate(content["right"], content["n"]))


def show_report(command: str, report: Mapping[str, object], folder: Place) -> None:
    """Show a report as a table, under the names of the command and of the folder that it made."""
    _table(as_table(report), artifact_key(command, folder.name), str(folder))


def show_drawn(report: DrawReport, shards: list[ShardState], folder: Place) -> None:
    """Show a drawn dataset: a table of the shards, and a report with a contact sheet."""
    key = artifact_key("generate", folder.name)
    counts = Counter(shard["state"] for shard in shards) or Counter(skipped=report["shards"])
    said = ", ".join(f"{counts[state]:,} {state}" for state in ("made", "skipped", "repaired"))
    rows = sorted(shards, key=lambda shard: shard["shard"])[:MOST_ROWS]
    rows = rows or [{"shard": "all", "state": "skipped", "pictures": report["count"], "bytes": report["bytes"]}]
    _table(rows, key, f"Shards of {folder}: {said}")
    lines = [f"# {markdown(folder.name)}: {report['count']:,} pictures", "", f"- shards: {said}"]
    lines += as_lines(report, "shards", "dataset", "count")
    if shards:
        lines += ["", picture(dataset_sheet(folder, SHOWN), f"The first {SHOWN} pictures")]
    _markdown(lines, f"{key}-report", folder)


def show_verified(report: VerifyReport, findings: Iterable[Finding], folder: Place) -> None:
    """Show a proof of a dataset: a table of findings and repairs, and a report."""
    key, findings = artifact_key("verify", folder.name), list(findings)
    said = summary(findings) or "whole"
    rows = report["findings"] or [{"what": folder.name, "state": "whole", "reason": "-", "done": "-"}]
    _table(rows[:MOST_ROWS], key, f"{folder}: {said}")
    done = Counter(finding.done for finding in findings)
    lines = [f"# {markdown(folder.name)}: {markdown(said)}", ""]
    lines += [f"- {markdown(what)}: {count:,}" for what, count in done.most_common(MOST_KINDS) if what != "-"]
    _markdown([*lines, *as_lines(report, "findings", "shown", "dataset")], f"{key}-report", folder)


def show_all_verified(rows: list[VerifiedDataset], problems: list[str]) -> None:
    """Show the proof of all datasets: a row for each, and the errors."""
    lines = ["| dataset | state | pictures | shards | found whole | findings |", "|---|---|---|---|---|---|"]
    lines += [f"| {' | '.join(map(markdown, row.values()))} |" for row in rows]
    _markdown(["# All datasets", "", *lines, "", *(f"- {markdown(text)}" for text in problems)], "verify-all")


def show_trained(report: dict[str, Any], model: Place) -> None:
    """Show a model: a table of its record, and a report."""
    key = artifact_key("train", model.stem)
    _table(as_table(report), key, str(model))
    learnt = ", ".join(f"{markdown(data['name'])} ({data['count']:,} pictures)" for data in report["datasets"])
    state = "kept, it was made from these data and settings" if report["kept"] else "trained"
    lines = [f"# {markdown(model.stem)}: {state}", "", f"- learnt from: {learnt}"]
    lines += [f"- letters it knows: {code(report['classes'])}"]
    lines += [f"- {name}: {report[name]:,}" for name in ("letters", "spans", "shows", "seconds")]
    lines += [f"- pictures whose letters were found: {rate(report['marked'])}"]
    lines += [f"- letters the gate lets by: {rate(report['gate_passes'])}"]
    if "validation" in report:
        lines += [f"- words right on the validation split: {rate(report['validation'])}"]
        lines += [f"- {title}: {markdown(said)}" for title in ("why", "next") for said in report[title]]
    lines += ["", f"File: {code(model)}. How well it reads: {code(f'captchas evaluate {model.stem} DATASET')}"]
    _markdown(lines, f"{key}-report", model)


def show_trained_deep(report: dict[str, Any], model: Place, plot: bytes) -> None:
    """Show a deep model: how many words it reads right, and the course of its training, which is also plotted."""
    key = artifact_key("train", model.stem)
    rows = [
        {"pictures": f"{look['pictures']:,}", "seconds": look["seconds"], "loss": look["loss"],
         "validation words right": f"{100 * look['right']:.1f} %"}
        for look in report["curve"]
    ]  # fmt: skip
    _table(rows, key, str(model))
    lines = [f"# {markdown(model.stem)}: trained", "", f"- letters it knows: {code(report['classes'])}"]
    lines += [f"- {name}: {report[name]:,}" for name in ("pictures", "steps", "seconds")]
    for source, rates in report["scores"].items():
        said = "; ".join(f"{ranking}: {rate(content)}" for ranking, content in rates.items())
        lines += [f"- validation words right, {markdown(source)}: {said}"]
    lines += ["", picture(plot, "The course of the training")]
    lines += ["", f"File: {code(model)}. How well it reads: {code(f'captchas evaluate {model.stem} DATASET')}"]
    _markdown(lines, f"{key}-report", model)


def show_evaluated(report: Evaluation, folder: Path) -> None:
    """Show an evaluation: a table of the rates, and a report with the plots that say most."""
    key = artifact_key("evaluate", folder.name)
    rows = [{"ranking": name, "words right": rate(content)} for name, content in report["words"].items()]
    _table(rows, key, f"{report['model']} on {report['dataset']}")
    lines = [f"# {markdown(folder.name)}", "", f"{report['n']:,} pictures of {told_split(report['split'])}.", ""]
    lines += [f"**{markdown(warning)}**", ""] if (warning := report.get("warning")) else []
    lines += [f"- words right, {row['ranking']}: {row['words right']}" for row in rows]
    lines += [f"- words right, reader {row['reader']}: {row['words_right']}" for row in _by_reader(report)]
    lines += [f"- cut into the right number of letters: {rate(report['cut_right'])}"]
    lines += [f"- letters cut from words: macro F1 {report['letters']['macro_f1']:.4f}"]
    for name, title in PLOTS.items():
        lines += ["", f"## {title}", "", picture((folder / name).read_bytes(), title)]
    _markdown([*lines, "", f"All files: {code(folder)}"], f"{key}-report")


def show_ladder(folder: Path) -> None:
    """Show the table and the picture of an evaluation on all rungs of the ladder."""
    shown = picture((folder / "ladder.png").read_bytes(), folder.name)
    text = (folder / "ladder.md").read_text("utf-8")
    _markdown([f"# {markdown(folder.name)}", "", text, "", shown], artifact_key("evaluate", folder.name))


def _by_ranking(words: dict[str, RateRecord]) -> list[RankingRate]:
    return [{"ranking": name, "words_right": rate(content), **content} for name, content in words.items()]


def _by_reader(report: Evaluation) -> list[ReaderRate]:
    """Return what a classic and a deep model have right, alone and together; nothing of one model."""
    found = report.get("readers")
    if found is None:
        return []
    classic, deep = Path(found["classic_model"]).name, Path(report["model"]).name
    files = {Readers.CLASSIC: classic, Readers.BOTH: f"{classic}, {deep}", Readers.DEEP: deep}
    return [
        {"reader": readers.value, "model": files[readers], "words_right": rate(found["words"][readers]),
         **found["words"][readers]}
        for readers in Readers
    ]  # fmt: skip


def _told_readers(report: Evaluation) -> str | None:
    """Tell whose answers the figures count, and how."""
    if "readers" in report:
        return report["readers"]["reads_with"]
    alike = f"{Path(report['model']).name}, upper and lower case alike: answers and labels in capitals are compared"
    return alike if report.get("folded") else None


def evaluation_for_people(report: Evaluation, kept: bool, folder: Path) -> EvaluationSummary:
    """Choose the parts of an evaluation's report that the command shows; rates with their intervals."""
    return {
        "warning": report.get("warning"),
        "kept": kept,
        "report": str(folder),
        "reads_with": _told_readers(report),
        "readers": _by_reader(report),
        "model": report["model"],
        "dataset": report["dataset"],
        "split": report["split"],
        "pictures": report["n"],
        "dictionary_words": report["dictionary_words"],
        "words": _by_ranking(report["words"]),
        "words_case_folded": _by_ranking(report.get("words_case_folded", {})),
        "cut_right": rate(report["cut_right"]),
        "letters_macro_f1": report["letters"]["macro_f1"],
        "letters_right": rate(report["letters"]["accuracy"]),
        "calibration_error": [
            {"ranking": name, "error": f"{100 * content['error']:.2f} %"}
            for name, content in report["calibration"].items()
        ],
        "failures": [{"ranking": name, **split} for name, split in report["failures"].items()],
        "failures_explained": [{"outcome": name, "meaning": said} for name, said in OUTCOMES.items()],
        "words_per_second_a_worker": report["words_per_second_a_worker"],
        "pictures_to_look_at": [str(folder / name) for name in FOR_PEOPLE],
    }


def show_solved(report: SolveReport, sheet: bytes | None, folder: Place, out: Place) -> None:
    """Show the answers of a folder: a table of the counts, and a report with the failures and the first pictures."""
    key = artifact_key("solve", folder.name)
    counts = {name: value for name, value in report.items() if not isinstance(value, list)}
    _table(as_table(counts), key, str(out))
    lines = [f"# {markdown(folder.name)}: {report['solved']:,} solved", "", *as_lines(report, "failures")]
    lines += [f"- {code(failure['path'])}: {markdown(failure['reason'])}" for failure in report["failures"]]
    if sheet:
        lines += ["", picture(sheet, "The first pictures that were answered")]
    _markdown(lines, f"{key}-report", out)


def show_regenerated(report: RegenerateReport, model: Path) -> None:
    """Show whether a new model is served now, and the comparison that decided it."""
    why = report["why"]
    lines = [f"# {markdown(model.stem)}: {'replaced' if report['replaced'] else 'kept'}", ""]
    lines += [f"{markdown(why[:1].upper() + why[1:])}.", ""]
    if report["pairs"]:
        lines += [
            f"The same {report['n']:,} pictures of the test split, with 95 % intervals:", "",
            "| | words right |", "|---|---|",
            f"| new model | {report['new_right']} |", f"| served until now | {report['served_right']} |",
            f"| where only one was right, the new model was | {report['only_one_right_new_won']} |", "",
        ]  # fmt: skip
    lines += [
        f"- {markdown(data['dataset'])}: {data['count']:,} pictures, {data['drawn']:,} drawn now"
        for data in report["datasets"]
    ]
    lines += [f"- {name}: {code(report[name])}" for name in ("model", "before", "candidate") if report[name]]
    _markdown(lines, artifact_key("regenerate", model.stem))


def show_reproduced(rows: list[dict[str, str]], lines: str, title: str, plot: Path) -> None:
    """Show the steps of the book's procedure: a table of `rows`, and a report of Markdown `lines` with the plot."""
    _table(rows, "reproduce", title)
    shown = picture(plot.read_bytes(), "Words right, step by step")
    _markdown([lines, "", shown], "reproduce-report")


def show_demo(report: Mapping[str, object]) -> None:
    """Show the steps of the demo, a line for each."""
    said = {key: value for key, value in report.items() if isinstance(value, str)}
    _markdown(["# Demo", "", *as_lines(said)], "demo")


def _markdown(lines: Iterable[str], key: str, place: Place | None = None) -> None:
    create_markdown_artifact("\n".join(lines), key=key, description=None if place is None else markdown(place))


def _table(rows: Iterable[Mapping[str, object]], key: str, description: object) -> None:
    """Create a table artifact. The UI reads its description as Markdown, and its cells as they are."""
    create_table_artifact(plain_values(rows), key=key, description=markdown(description))
