"""Which column of a file of labels names the pictures, and which column holds the labels."""

from functools import partial

from tasks.exchange.label_sources.column_kinds import rejected_rows
from tasks.exchange.label_sources.doubtful import require_not_shifted, set_right, twice
from tasks.exchange.label_sources.file_formats.column_names import LABEL_COLUMNS
from tasks.exchange.label_sources.file_formats.label_table import LabelTable
from tasks.exchange.label_sources.name_parts import LONGEST
from tasks.exchange.label_sources.picture_index import ListedLabels, Match, PictureIndex, tidy_path
from tasks.exchange.label_sources.tables.class_columns import with_classes
from tasks.exchange.label_sources.tables.column_choice import Choice
from tasks.exchange.label_sources.tables.corrections import with_corrections, with_first


def resolve(
    table: LabelTable, index: PictureIndex, base: str = "", columns: tuple[str, str] | None = None
) -> ListedLabels:
    """Choose the columns of a file of labels, and find its pictures.

    Parameters
    ----------
    base : str
        The file's folder, relative to that of the pictures.
    columns : (path, label), optional
        The names of the columns, or their numbers from 1. `corrected/ocr` takes what is in `ocr` where `corrected` is
        empty.

    Raises
    ------
    BadInput
        The columns are unclear, or two rows label one picture.
    """
    corrected = 0
    if columns:
        table, columns = with_first(table, columns)
    else:
        table, corrected = with_corrections(with_classes(table))
    choice = Choice(table, index, base)
    place, labelled = choice.columns(columns)
    folder, match = choice.folder_column(place, labelled)
    turned, several = 0, ""
    if folder is None and len(labelled) == 1:
        right = set_right(table, choice.rows, place, labelled[0], partial(choice.find, match))
        turned, choice.rows = sum(a is not b for a, b in zip(right, choice.rows, strict=True)), right
    wrong = rejected_rows(table.file, choice.header, choice.rows, {place, *labelled})
    source = table.file.name
    labels: dict[str, str] = {}
    strangers: dict[str, str] = {}
    left_out: dict[str, str] = {}
    lines: dict[str, int] = {}
    missing: list[str] = []
    for row, (number, cells) in enumerate(choice.rows):
        name = cells[place] if folder is None else f"{cells[folder]}/{cells[place]}"
        listed = tidy_path(name)
        found = choice.find(match, name, choice.split_in(cells))
        path = found[0] if len(found) == 1 else listed
        label = "".join(cells[k] for k in labelled)
        if row in wrong:
            left_out[path] = f"{source} marks its label {label[:LONGEST]!r} as wrong: {wrong[row]}"
            continue
        if path in lines:
            if labels.get(path) == label:
                continue
            raise twice(table, lines[path], number, path, found or choice.find(Match.NAME, name))
        lines[path] = number
        if len(found) == 1:
            labels[path] = label
        elif found:
            several = several or f"{name} may be {found[0]} or {found[1]}"
            strangers[listed] = (
                f"{source} labels it, which may be {found[0]} or {found[1]}; write the folder before the name"
            )
        else:
            strangers[listed] = f"{source} labels it, but the folder has no such file (or a link, or hidden)"
            missing.append(name)
    if missing and not labels and len(found := index.find(Match.NAME, missing[0], base)) > 1:
        several = f"{missing[0]} may be {found[0]} or {found[1]}"
    if len(missing) == 1:
        require_not_shifted(table, match, [cells[place] for _, cells in choice.rows], missing, index, base)
    sure = bool(columns) or any(choice.names[k] in LABEL_COLUMNS for k in labelled if k < len(choice.names))
    numbered = all(cells[place].strip().isdecimal() for _, cells in choice.rows)
    return ListedLabels(table.file, labels, strangers, left_out, sure, turned, numbered, several, corrected)


def listed_labels(table: LabelTable, columns: tuple[str, str] | None = None) -> dict[str, str]:
    """Return the label of each listed path, without a look at any folder."""
    choice = Choice(table, PictureIndex([]), "")
    place, labelled = choice.columns(columns)
    labels: dict[str, str] = {}
    lines: dict[str, int] = {}
    for number, cells in choice.rows:
        path = tidy_path(cells[place])
        label = "".join(cells[k] for k in labelled)
        if labels.setdefault(path, label) != label:
            raise twice(table, lines[path], number, path)
        lines[path] = number
    return labels
