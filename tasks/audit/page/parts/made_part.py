"""How an audit was made: what was audited, every command, seed and version, and what was left out."""

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from storage.texts import as_json
from tasks.audit.page.elements.data_table import Cell, Column, data_table, folded, number_cell
from tasks.audit.page.elements.document import part
from tasks.audit.page.elements.markup import Child, Markup, element, given, lines, together
from tasks.audit.page.elements.wording import counted, duration
from tasks.audit.schema import Audit, Generator, Target

_MOST_TEXT = 4000  # characters of a failure, or of a profile


def made_part(audit: Audit) -> Markup:
    """Return the part at the end: what somebody needs who doubts the verdict, or repeats the audit."""
    made, target = audit["made"], audit["target"]
    budget = f"{made['minutes']:g} minutes"
    return part(
        "made", "How this audit was made",
        "Somebody with the same pictures can repeat it: equal seed, versions and pictures give equal answers, but for "
        "what depends on the time that was left.",
        element("h3", "What was left out"),
        _skipped(audit),
        element("h3", "The command"),
        element("pre", element("code", lines(made["command"])), tabindex=0),
        element("h3", "What was audited"),
        _pairs_of(_target_facts(target)),
        folded("The profile", element("pre", element("code", lines(_profile(target["profile"]))), tabindex=0))
        if target["profile"] else None,
        _generator(target["generator"]) if target["generator"] else None,
        element("h3", "With what"),
        _pairs_of([
            ("Version", made["version"]), ("Python", made["python"]), ("Cores", str(made["cores"])),
            ("Seed", str(made["seed"])),
            ("Started", made["started"]), ("Took", f"{duration(made['seconds'])}, of {budget} allowed"),
            ("Schema of audit.json", str(audit["schema"])),
        ]),
        data_table(
            "Packages that the figures depend on", [Column("Package"), Column("Version")],
            [[Cell(given(name)), Cell(given(version))] for name, version in made["packages"].items()], key="packages",
        ),
    )  # fmt: skip


def _pairs_of(facts: list[tuple[str, Child]]) -> Markup:
    return element(
        "dl", [element("div", element("dt", name), element("dd", value)) for name, value in facts], class_="numbers"
    )


def _target_facts(target: Target) -> list[tuple[str, Child]]:
    size = target["size"]
    lengths = target["lengths"]
    letters = f"{min(lengths)} to {max(lengths)} letters" if lengths and min(lengths) < max(lengths) else (
        counted(lengths[0], "letter") if lengths else "not known")  # fmt: skip
    return [
        ("Name", given(target["name"])),
        ("Given as", given(target["given"], 400)),
        ("Dataset", given(_place_of(target["dataset"]), 400)),
        ("Identity", element("code", given(target["identity"]))),
        ("Digest of all pictures and labels", element("code", given(target["content"] or "not computed"))),
        ("Pictures", f"{target['pictures']:,}"),
        ("Can be drawn again", "yes, bit for bit" if target["redrawable"] else "no"),
        ("Size", f"{size[1]} × {size[0]} pixels" if size else "different sizes"),
        ("Colour", "in colour" if target["colour"] else "grey"),
        ("Alphabet", element("code", given(target["alphabet"], 400))),
        ("Texts", letters),
        ("Upper and lower case", "counted alike" if target["fold_case"] else "told apart"),
    ]


def _place_of(dataset: str) -> str:
    """Return where a dataset is, without the folders of this machine, which are nobody else's business."""
    path = PurePath(dataset)
    return f"…/{'/'.join(path.parts[-2:])}" if path.is_absolute() and len(path.parts) > 3 else dataset


def _profile(profile: Mapping[str, Any]) -> str:
    """Return a line for each field."""
    text = "\n".join(f"{key}: {as_json(value)}" for key, value in profile.items())
    return text if len(text) <= _MOST_TEXT else f"{text[:_MOST_TEXT]}\n…"


def _generator(generator: Generator) -> Markup:
    redraws = {True: "yes, those that were tried", False: "no", None: "not tried"}[generator["redraws"]]
    facts: list[tuple[str, Child]] = [
        ("Kind", "a Python callable" if generator["kind"] == "callable" else "a command"),
        ("Given as", element("code", given(generator["given"], 600))),
        ("SHA-256 of its module", element("code", given(generator["source"] or "not known"))),
        ("Seed", str(generator["seed"])),
        ("Takes a generator of random numbers", "yes" if generator["takes_rng"] else "no"),
        ("Chooses its own text", "yes" if generator["chooses_text"] else "no"),
        ("Draws a picture again, equal to the last bit", redraws),
        ("Asked", counted(generator["asked"], "picture")),
        ("Drew", counted(generator["drawn"], "picture")),
        (
            "Failed",
            f"{counted(generator['failed'], 'time')}; no attacker learnt from these"
            if generator["failed"]
            else "never",
        ),
        ("Time a picture, in one process", duration(generator["seconds_a_picture"])),
    ]
    failures = [
        [Cell(one["what"]), number_cell(one["count"]), Cell(element("code", lines(one["example"][:_MOST_TEXT])))]
        for one in generator["failures"][:50]
    ]
    columns = [Column("Failure"), Column("Times", True), Column("An example")]
    return together(
        element("h3", "The generator"),
        _pairs_of(facts),
        data_table("Failures of the generator", columns, failures, key="generator-failures") if failures else None,
    )


def _skipped(audit: Audit) -> Markup:
    if not audit["skipped"]:
        return element("p", "Nothing was left out.")
    rows = [[Cell(one["part"]), Cell(one["why"])] for one in audit["skipped"]]
    return data_table("Parts that were left out", [Column("Part"), Column("Why")], rows, key="skipped")
