"""Foreign text made fit for terminals, logs, Markdown, JSON and CSV."""

import csv
import io
import json
import unicodedata

import pytest

from storage.errors import BadInput, Busy, Unwritable
from storage.texts import as_json, caption, code, csv_bytes, markdown, plain, plain_lines, plain_values

UNFIT = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def fit(text: str, kept: str = "") -> bool:
    return all(character in kept or unicodedata.category(character) not in UNFIT for character in text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a.png", "a.png"),
        ("héllo 字 😀", "héllo 字 😀"),
        ("\x1b[31mred\x07", "\\x1b[31mred\\x07"),
        ("a\r\n\tb\x00\x7f\x9b", "a\\r\\n\\tb\\x00\\x7f\\x9b"),
        ("gpj.\u202eexe\u2066\u2069", "gpj.\\u202eexe\\u2066\\u2069"),
        ("\udcff\ud800", "\\udcff\\ud800"),
        ("a\u2028b\u2029\ufeff\u200d\U000e0041", "a\\u2028b\\u2029\\ufeff\\u200d\\U000e0041"),
        ("a\\n", "a\\n"),
        (7, "7"),
    ],
)
def test_plain_text(text, shown):
    assert plain(text) == shown


def test_every_hostile_name_is_fit_everywhere(hostile_names):
    assert len(hostile_names) == 200
    for name in hostile_names:
        for show in (plain, markdown, code, caption):
            assert fit(show(name)), (show, name)
            show(name).encode()
        assert caption(name).isascii() and len(caption(name)) <= 48
        assert fit(as_json({name: [name]}))
        assert json.loads(as_json({name: [name]}).encode()) == {name: [name]}


def test_lines_and_structures():
    assert plain_lines("a\x1b\nb") == "a\\x1b\nb"
    value = {"a\n": ["\udcff", 1, None, True, 0.5, ("x",)], "b": {"c": UNFIT.__class__}}
    assert plain_values(value) == {"a\\n": ["\\udcff", 1, None, True, 0.5, ["x"]], "b": {"c": "<class 'set'>"}}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("96.1 % (95.0 to 97.0), n = 1,000", "96.1 % (95.0 to 97.0), n = 1,000"),
        ("a|b`c`[d](e)", "a\\|b\\`c\\`\\[d\\](e)"),
        ("<script>&amp;", "&lt;script&gt;&amp;amp;"),
        ("*a* _b_ ~~c~~ ![d] \\", "\\*a\\* \\_b\\_ \\~\\~c\\~\\~ \\!\\[d\\] \\\\"),
        ("# a", "\\# a"),
        ("- a", "\\- a"),
        ("-", "\\-"),
        ("12. a", "12\\. a"),
        ("1) a", "1\\) a"),
        ("12.5 s", "12.5 s"),
        ("https://evil.example www.evil.example a@b.c", "https\\://evil.example www\\.evil.example a\\@b.c"),
        ("a\n# b", "a\\\\n\\# b"),
    ],
)
def test_markdown(text, shown):
    assert markdown(text) == shown


def test_code_spans():
    assert code("a|b") == "`a|b`"
    assert code("a`b``c") == "```a`b``c```"
    assert code("`a") == "`` `a ``"
    assert code("\n") == "`\\n`"
    assert code("") == "`  `"


def test_json_keeps_its_layout():
    assert as_json({"a": "é\u202e\x7f"}, indent=1) == '{\n "a": "é\\u202e\\u007f"\n}'
    assert as_json(["\U000e0041"]) == '["\\udb40\\udc41"]'


def test_csv_loses_nothing(hostile_names):
    data = csv_bytes([[name, None, 1] for name in hostile_names])
    read = csv.reader(io.StringIO(data.decode("utf-8", "surrogateescape"), newline=""))
    assert [row[0] for row in read] == hostile_names
    assert csv_bytes([["\ud800\udcff"]]) == b"\\ud800\xff\n"


def test_a_safe_csv_changes_only_what_a_spreadsheet_would_run():
    bad = ["=1+1", "+1", "-1", "@SUM(A1)", "\t1", "\r1", "\n1", "＝1", "－1", "＋1", "＠a"]
    good = ["a=1", " =1", "'=1", "", "1-1", "1", "a;b", "a\n1", "a; =1", "a,=1"]
    data = csv_bytes([[text, -1.5, None] for text in bad + good], safe=True).decode()
    read = list(csv.reader(io.StringIO(data, newline="")))
    assert [row[0] for row in read] == [f"'{text}" for text in bad] + good
    assert {tuple(row[1:]) for row in read} == {("-1.5", "")}


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("a;=1+1;@b", "a;'=1+1;'@b"),  # a list separator in much of Europe
        ("a\t-1", "a\t'-1"),
        ('a"\n=1', "a\"\n'=1"),
        ("\t=1", "'\t'=1"),
        ("\r\n+1", "'\r\n'+1"),
        ("a;＝1", "a;'＝1"),
    ],
)
def test_a_safe_csv_stays_safe_if_it_is_split_elsewhere(text, safe):
    (row,) = csv.reader(io.StringIO(csv_bytes([[text]], safe=True).decode(), newline=""))
    assert row == [safe]


@pytest.mark.parametrize("error", [BadInput, Busy, Unwritable])
def test_the_message_of_an_error_of_ours_is_fit(error):
    assert str(error("a\x1b[2J\udcff\n: no")) == "a\\x1b[2J\\udcff\\n: no"
