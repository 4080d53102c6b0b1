"""Why the strongest attacker succeeds and fails: parameters, letters, pairs of letters, kinds of failure, saliency."""

from tasks.audit.page.elements.album import Album
from tasks.audit.page.elements.bars import scale_of
from tasks.audit.page.elements.data_table import BAR, Cell, Column, bar_cell, data_table, folded, number_cell, rate_cell
from tasks.audit.page.elements.document import part
from tasks.audit.page.elements.markup import Markup, element, given, together
from tasks.audit.page.elements.wording import counted, heading_case, percent
from tasks.audit.schema import Audit, Cause, Letter, Why

ENOUGH = 30  # pictures of a bin, from which its rate tells something
OPEN = 6  # causes that are shown; the rest is folded away
FEW = 10  # letters that are shown from either end
_MOST = 60  # rows of a table


def why_part(audit: Audit, album: Album) -> Markup:
    """Return the part, or say why it was left out."""
    why = audit["why"]
    title = "4. Why: what helps the attacker, and what stops it"
    if why is None:
        skipped = next((one["why"] for one in audit["skipped"] if "why" in one["part"].lower()), None)
        said = "The audit did not look for causes" + (f": {skipped}." if skipped else ".")
        return part("why", title, said)
    return part(
        "why", title, _plain(why),
        _causes(why.get("causes", [])),
        _letters(why),
        _pairs(why),
        _failures(why),
        _saliency(why, album),
    )  # fmt: skip


def _plain(why: Why) -> str:
    said = f"These are the answers of {why['attacker']} to {counted(why['n'], 'unseen picture')}. "
    told = [cause for cause in why["causes"] if _told_apart(cause)]
    if why["causes"] and not told:
        said += "No parameter was shown to matter: chance may explain each difference. "
    if told:
        cause = told[0]
        said += (
            f"What matters most is {cause['title'][:1].lower() + cause['title'][1:]}: between its best and its worst "
            f"group, words right differ by {100 * cause['difference']:.0f} percentage points. "
        )
    if why["letters"]:
        hardest = ", ".join(letter["letter"] for letter in why["letters"][:3])
        said += f"The letters that resist most are {hardest}. "
    return said + "A cause seen here is a hint, not a proof: parameters can change together."


def _causes(causes: list[Cause]) -> Markup | None:
    if not causes:
        return None
    causes = sorted(causes, key=lambda cause: not _told_apart(cause))  # within, the largest difference first
    cards = [_cause(k, cause) for k, cause in enumerate(causes)]
    return together(
        element("h3", "Success against each parameter"),
        element(
            "p", f"Each row is a group of pictures. A row of fewer than {ENOUGH} pictures tells little.", class_="note"
        ),
        element("div", cards[:OPEN], class_="cards"),
        folded(
            f"{counted(len(cards) - OPEN, 'parameter')} more, of smaller difference",
            element("div", cards[OPEN:], class_="grid"),
        )
        if len(cards) > OPEN
        else None,
    )


def _told_apart(cause: Cause) -> bool:
    return cause.get("told_apart", True)


def _cause(k: int, cause: Cause) -> Markup:
    bins = cause["bins"][:_MOST]
    scale = scale_of(bins)
    rows = [
        [Cell(given(one["label"], 40)), bar_cell(one, scale), rate_cell(one), number_cell(one["n"])] for one in bins
    ]
    columns = [Column("Group"), Column(f"0 to {percent(scale)}"), Column("Words right", True), Column("Pictures", True)]
    measured = "stored with the pictures" if cause["stored"] else "measured on the pictures"
    return element(
        "article",
        element("h4", heading_case(cause["title"]), " ", element("span", measured, class_="tag")),
        element("p", heading_case(cause["plain"])),
        data_table(f"Words right by {cause['title']}", columns, rows, key=f"cause-{k}"),
        class_="card",
    )


def _letters(why: Why) -> Markup | None:
    letters = why["letters"]
    if not letters:
        return None
    few = len(letters) <= 2 * FEW
    shown = _letter_table(letters if few else letters[:FEW], "letters", "Letters, the hardest first")
    rest = None
    if not few:
        rest = folded(
            f"The other {len(letters) - FEW} letters",
            _letter_table(letters[FEW:][:200], "letters-rest", "Letters that are read more often"),
        )
    return together(element("h3", "Letters that resist"), shown, rest)


def _letter_table(letters: list[Letter], key: str, caption: str) -> Markup:
    rows = [
        [Cell(element("b", given(one["letter"]), class_="read")), bar_cell(one), rate_cell(one), number_cell(one["n"]),
         Cell(", ".join(one["mistaken_for"][:6]) or "–")]
        for one in letters
    ]  # fmt: skip
    columns = [Column("Letter"), BAR, Column("Read right", True), Column("Times seen", True),
               Column("Else read as")]  # fmt: skip
    return data_table(caption, columns, rows, key=key, sortable=True)


def _pairs(why: Why) -> Markup | None:
    pairs = why["pairs"][:_MOST]
    if not pairs:
        return None
    rows = [
        [Cell(together(given(one["true"], 20), " read as ", given(one["read"], 20))), number_cell(one["count"])]
        for one in pairs
    ]
    columns = [Column("Letters"), Column("Times", True)]
    rest = data_table("Letters taken for another, less often", columns, rows[FEW:], key="pairs-rest")
    return together(
        element("h3", "Letters taken for each other"),
        data_table("Letters taken for another", columns, rows[:FEW], key="pairs"),
        folded(f"{counted(len(rows) - FEW, 'pair')} more", rest) if len(rows) > FEW else None,
    )


def _failures(why: Why) -> Markup | None:
    failures = why["failures"][:_MOST]
    if not failures:
        return None
    rows = [
        [Cell(heading_case(str(one["what"]))), number_cell(one["count"]), Cell(str(one.get("plain") or ""))]
        for one in failures
    ]
    columns = [Column("What went wrong"), Column("Pictures", True), Column("What that means")]
    return together(
        element("h3", "How the attacker fails"),
        data_table("Pictures that were read wrong, by kind", columns, rows, key="failures"),
    )


def _saliency(why: Why, album: Album) -> Markup | None:
    if not why["saliency"]:
        return None
    return together(
        element("h3", "Where the attacker looks"),
        element("p", "The marked places matter most: covering them changes the answer most.", class_="note"),
        element("div", [album.figure(one) for one in why["saliency"]], class_="figures"),
    )
