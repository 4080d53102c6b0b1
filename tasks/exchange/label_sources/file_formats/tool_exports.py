"""What tools for annotation export: Labelbox, SuperAnnotate, VoTT, FiftyOne. A text is in answers, or in shapes."""

from collections.abc import Iterator
from typing import Any

from tasks.exchange.label_sources.file_formats.annotations import LONGEST_FIELD, Shape, as_items, as_object, joined
from tasks.exchange.label_sources.file_formats.letter_boxes import dicts, left_of, placed_letters

Row = dict[str, str]
NAMING = ("external_id", "External ID", "global_key", "Global Key", "row_data", "Labeled Data")  # of Labelbox
SIDE = "___objects"  # what SuperAnnotate wrote between the name of a picture and `.json`


def tool_rows(value: object) -> list[Row] | None:
    """Return the fields of each picture of an export of one of these tools; None if it is none."""
    entries = dicts(value) if isinstance(value, list) else []
    if entries and all(isinstance(entry.get("data_row"), dict) and "projects" in entry for entry in entries):
        return [row for entry in entries for row in _labelbox(entry["data_row"], _of_projects(entry["projects"]))]
    if entries and all("Labeled Data" in entry and "Label" in entry for entry in entries):
        return [row for entry in entries for row in _labelbox(entry, [(entry["Label"], entry.get("Skipped") is True)])]
    if entries and all(map(is_superannotate, entries)):
        return list(map(superannotate_row, entries))
    assets = [value] if isinstance(value, dict) and "asset" in value else dicts(as_object(value).get("assets"))
    if assets and all("name" in as_object(entry.get("asset")) and "regions" in entry for entry in assets):
        return list(map(_vott, assets))
    return _fiftyone(value) if isinstance(value, dict) else None


def _vott(entry: dict[str, Any]) -> Row:
    tagged = [(region, as_items(region.get("tags"))) for region in dicts(entry["regions"])]
    shapes = [Shape(left_of(region) or 0.0, {"label": str(tags[0])}) for region, tags in tagged if len(tags) == 1]
    return joined({"path": str(entry["asset"]["name"])}, shapes if len(shapes) == len(tagged) else [])


# Labelbox -------------------------------------------------------------------------------------------------------------


def _of_projects(projects: object) -> list[tuple[object, bool]]:
    """Return the annotations that people made of a picture, and whether they skipped it."""
    labels = [label for project in dicts(projects) for label in dicts(project.get("labels"))]
    return [
        (label.get("annotations"), as_object(label.get("performance_details")).get("skipped") is True)
        for label in labels
    ] or [({}, False)]


def _labelbox(names: dict[str, Any], labels: list[tuple[object, bool]]) -> Iterator[Row]:
    """Yield a row for each person's annotations of a picture; two that differ label it twice."""
    named = {key: names[key] for key in NAMING if isinstance(names.get(key), str)}
    for label, skipped in labels:
        found = {} if skipped else as_object(label)
        shapes = [
            Shape(left_of(one) or 0.0, _answers(one) or {"label": str(one.get("name") or one.get("title") or "")})
            for one in dicts(found.get("objects"))
        ]
        yield joined(named | _answers(found), shapes)


def _answers(of: dict[str, Any]) -> Row:
    """Return what is answered, by the question."""
    return {
        str(one.get("name") or one.get("title") or "label"): text
        for one in dicts(of.get("classifications")) if (text := _answer(one))
    }  # fmt: skip


def _answer(one: dict[str, Any]) -> str:
    said = one.get("text_answer") or one.get("radio_answer") or one.get("answer")
    if isinstance(said, dict):
        said = said.get("content") or said.get("name") or said.get("title")
    return said.strip() if isinstance(said, str) else ""


# SuperAnnotate --------------------------------------------------------------------------------------------------------


def is_superannotate(value: object) -> bool:
    """Return whether a value is SuperAnnotate's annotation of a picture."""
    entry = as_object(value)
    return isinstance(entry.get("instances"), list) and "name" in as_object(entry.get("metadata"))


def superannotate_row(value: dict[str, Any]) -> Row:
    """Return the fields of a picture: the class of its shapes, their attributes and labels, and a tag."""
    tags = [tag for tag in as_items(value.get("tags")) if isinstance(tag, str)]
    row = {"path": str(value["metadata"]["name"])} | ({"tag": tags[0]} if len(tags) == 1 else {})
    return joined(row, [Shape(left_of(one) or 0.0, _instance(one)) for one in dicts(value["instances"])])


def _instance(one: dict[str, Any]) -> Row:
    told = {"class": one.get("className"), "pointlabel": next(iter(as_object(one.get("pointLabels")).values()), None)}
    told |= {str(of.get("groupName")): of.get("name") for of in dicts(one.get("attributes"))}
    return {key: text for key, text in told.items() if isinstance(text, str)}


# FiftyOne -------------------------------------------------------------------------------------------------------------


def _fiftyone(value: dict[str, Any]) -> list[Row] | None:
    """Return path and label of FiftyOne's labels by the pictures' names, some by the number of a class; else None."""
    if "classes" not in value or not isinstance(value.get("labels"), dict):
        return None
    classes = [str(name) for name in as_items(value["classes"])]

    def named(said: object) -> object:
        number = isinstance(said, int) and not isinstance(said, bool)
        return classes[said] if number and isinstance(said, int) and 0 <= said < len(classes) else said

    def text(said: object) -> str:
        if isinstance(said, list):
            boxes = [box | {"label": named(box.get("label")), "bbox": box.get("bounding_box")} for box in dicts(said)]
            said = placed_letters(boxes) or (boxes[0]["label"] if len(boxes) == 1 else "")
        said = named(said.get("label")) if isinstance(said, dict) else named(said)
        return str(said)[:LONGEST_FIELD] if isinstance(said, str | int) else ""

    return [{"path": path, "label": text(said)} for path, said in value["labels"].items()]
