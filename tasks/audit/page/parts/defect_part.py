"""Defects that were found without an attack."""

from collections.abc import Mapping
from typing import Any

from tasks.audit.page.elements.album import Album
from tasks.audit.page.elements.data_table import Cell, Column, data_table, folded
from tasks.audit.page.elements.document import part
from tasks.audit.page.elements.markup import Markup, element, given
from tasks.audit.page.elements.wording import counted, rate_text
from tasks.audit.schema import Audit, Finding

_SEVERITIES = {"high": "Serious", "low": "Minor", "none": "Looked for, not found", "unknown": "Cannot be told"}
_SIGNS = {"high": "▲", "low": "△", "none": "○", "unknown": "?"}
_MOST_FIGURES = 40  # numbers of a finding


def defect_part(audit: Audit, album: Album) -> Markup:
    """Return what was found without an attack."""
    findings = audit["findings"]
    order = list(_SEVERITIES)
    found = sorted(
        (one for one in findings if one["severity"] in ("high", "low")), key=lambda one: order.index(one["severity"])
    )
    rest = [one for one in findings if one not in found]
    if not findings:
        plain = "The audit did not look for defects."
    elif found:
        serious = sum(one["severity"] == "high" for one in found)
        plain = (
            f"{counted(len(found), 'defect')} can be found without any attack, {serious or 'none'} of them serious. "
            "A defect makes an attack easier, or makes one needless. To mend it often costs readers nothing."
        )
    else:
        plain = "None of the defects that the audit looked for was found. That says nothing about attacks."
    return part(
        "defects", "1. Defects that need no attack", plain,
        _whose_texts(audit) if findings else None,
        [_finding(one, album) for one in found],
        _not_found(rest),
    )  # fmt: skip


def _whose_texts(audit: Audit) -> Markup | None:
    """Say so where the audit chose the texts: then what is found about letters and lengths is no fault of the owner."""
    generator, lengths = audit["target"]["generator"], audit["target"]["lengths"]
    if generator is None or generator["chooses_text"]:
        return None
    sizes = " to ".join(map(str, sorted({min(lengths), max(lengths)})))
    named = audit["made"]["command"].split()
    unnamed = [option for option in ("--alphabet", "--length") if option not in named]
    advice: list[str | Markup] = []
    for option in unnamed:
        advice += [" and " if advice else " Name what your site uses with ", element("code", option, class_="option")]
    return element(
        "p",
        f"The audit chose the texts{'' if unnamed else ' as its command says'}, {sizes} characters of ",
        element("code", given(audit["target"]["alphabet"], 400)),
        ". What is said of letters, lengths and texts is about these.",
        advice,
        "." if advice else None,
    )


def _finding(finding: Finding, album: Album) -> Markup:
    severity = finding["severity"]
    return element(
        "article",
        element("h3", element("span", _SIGNS[severity], aria_hidden="true", class_="sign"), f" {finding['title']} ",
                element("span", _SEVERITIES[severity], class_=f"tag {severity}")),
        element("p", finding["plain"]),
        element("p", element("b", "What to do: "), finding["remedy"]) if finding["remedy"] else None,
        element("div", [album.figure(one) for one in finding["shown"]], class_="figures") if finding["shown"] else None,
        _numbers(finding["figures"]),
        class_="card",
    )  # fmt: skip


def _not_found(findings: list[Finding]) -> Markup | None:
    if not findings:
        return None
    rows = [
        [Cell(one["title"]), Cell(f"{_SIGNS[one['severity']]} {_SEVERITIES[one['severity']]}"), Cell(one["plain"])]
        for one in findings
    ]
    columns = [Column("Defect"), Column("Result"), Column("What that means")]
    return data_table("What else was looked for", columns, rows, key="not-found")


def _numbers(figures: Mapping[str, Any]) -> Markup | None:
    """Return the numbers of a finding, folded away."""
    if not figures:
        return None
    rows = [
        element("div", element("dt", given(name.replace("_", " "), 60)), element("dd", given(_value_text(value), 600)))
        for name, value in list(figures.items())[:_MOST_FIGURES]
    ]
    return folded("The numbers", element("dl", rows, class_="numbers"))


def _value_text(value: object) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "not known"}[value]
    if isinstance(value, float):
        return f"{value:,.4g}"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, Mapping | list | tuple | str) and not value:
        return "none"
    if isinstance(value, Mapping):
        if {"right", "n", "rate", "low", "high"} <= set(value):
            return f"{value['right']:,} of {value['n']:,}: {rate_text(value)}"  # type: ignore[arg-type]
        return ", ".join(f"{key}: {_value_text(inner)}" for key, inner in value.items())
    if isinstance(value, list | tuple):
        between = "; " if any(isinstance(inner, Mapping) for inner in value) else ", "
        return between.join(map(_value_text, value))
    return str(value)
