"""What tools for annotation write: Pascal VOC and other XML, LabelMe, VIA. The text of a picture is in its shapes.

One shape holds the whole text; or each holds a letter, and the text is theirs from left to right.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple
from xml.etree import ElementTree

from storage.errors import BadInput
from tasks.exchange.label_sources.file_formats.letter_order import text_of

VOC = "annotation"  # the root of an XML file about one picture, whose shapes are `object`
LEFT = ("xmin", "xtl", "left", "cx", "x")  # the left edge of a shape, as tools name it; or a middle
GEOMETRY = {
    *LEFT, "xmax", "ymin", "ymax", "ytl", "xbr", "ybr", "y", "cy", "r", "rx", "ry", "width", "height", "depth",
    "points", "top", "right", "bottom", "z_order", "rotation", "occluded", "truncated", "difficult", "pose",
}  # fmt: skip
VIA_COLUMNS = ("filename", "file_attributes", "region_shape_attributes", "region_attributes")  # of VIA's CSV
TRACK = "track"  # an element of CVAT's XML of a video
PAGES = {"PcGts", "alto"}  # the roots of PAGE and ALTO, which are about one picture
BOX_LEFT = ("xmin", "x1", "left", "x")  # what tables of boxes call the left edge, and those of letters their order
BOX_ORDER = ("position", "pos", "order", "idx", "index", "charindex", "charpos", "letterindex", "letterpos")
BOX_TEXT = ("class", "label", "labelname", "text", "name", "letter", "char", "character")
BOX_PICTURE = {"filename", "file", "path", "image", "imageid", "imagename", "picture", "img"}
BARE_BOXES = {  # the columns of tables without a header: of RetinaNet and of makesense.ai
    6: ("path", "xmin", "ymin", "xmax", "ymax", "class"),
    8: ("class", "xmin", "ymin", "width", "height", "path", "imagewidth", "imageheight"),
}
BOX_REST = {
    "xmax", "x2", "right", "w", "width", "ymin", "y1", "top", "y", "ymax", "y2", "bottom", "h", "height", "imgwidth",
    "imgheight", "imagewidth", "imageheight", "confidence", "score",
}  # fmt: skip
LONGEST_FIELD = 500  # characters: longer fields hold pictures
FEW = 3  # pictures that may say the same
PATHS = {"path", "filename", "imagename", "imageName", "name", "id", "file", "folder"}  # say no label


class Shape(NamedTuple):
    """Something marked in a picture: where it begins, in pixels, and what is said of it."""

    left: float
    fields: dict[str, str]


class _NoDoctype(ElementTree.TreeBuilder):
    """A tree without a document type: its entities could grow without bound, or name other files."""

    def doctype(self, name: str, _public: str | None, _system: str | None) -> None:
        raise BadInput(f"has a document type ({name}), which may define entities; take <!DOCTYPE …> out of it")


def require_texts(rows: Sequence[dict[str, str]], name: str) -> None:
    """Refuse annotations that say the same of every picture: a class such as `captcha`, and not its text.

    Raises
    ------
    BadInput
    """
    said = {key: {row.get(key, "") for row in rows} for key in dict.fromkeys(key for row in rows for key in row)}
    if not said:
        raise BadInput(f"{name}: its elements say nothing of pictures; write path and label of each into a labels.csv")
    if len(rows) < FEW or any(len(values) > 1 for key, values in said.items() if key not in PATHS):
        return
    told_last = (next(iter(values)) for key, values in reversed(said.items()) if key not in PATHS and values != {""})
    only = next(told_last, "") if {""} != [*said.values()][-1] else ""  # shapes stand behind what is said of the file
    told = f"say only {only!r} of each picture" if only else "hold no text, or several in a picture"
    raise BadInput(
        f"{name}: its annotations {told}; write path and label of each picture into a "
        "labels.csv, or take labels from the names with --pattern"
    )


def joined(picture: dict[str, str], shapes: Sequence[Shape]) -> dict[str, str]:
    """Return the fields of a picture with those of its shapes: '' where several shapes give no single text."""
    names = dict.fromkeys(name for shape in shapes for name in shape.fields)
    ordered = sorted(shapes, key=lambda shape: shape.left)
    told = {
        name: text_of([(shape.left, value) for shape in ordered if (value := shape.fields.get(name, ""))])
        for name in names
    }
    return {name: value for name, value in (picture | told).items() if len(value) <= LONGEST_FIELD}


def _number(value: object) -> float:
    try:
        return float(str(value))
    except ValueError:
        return 0.0


def _is_number(value: str) -> bool:
    return re.fullmatch(r"-?\d+(\.\d+)?", value) is not None


def _string(value: object) -> str:
    """Return a scalar of JSON as text; '' for what cannot be a label."""
    if isinstance(value, str):
        return value.strip()
    return json.dumps(value) if isinstance(value, bool | int | float) else ""


def as_items(value: object) -> list[Any]:
    """Return the items of a list, or of an object, as the first versions of VIA write it; [] for anything else."""
    return value if isinstance(value, list) else list(value.values()) if isinstance(value, dict) else []


def as_object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


# XML ------------------------------------------------------------------------------------------------------------------


def xml_rows(data: bytes, name: str) -> list[dict[str, str]]:
    """Return the fields of each picture that an XML file tells of.

    That is the whole of a Pascal VOC file, or each of the elements below the root, such as `image`.

    Parameters
    ----------
    name : str
        Of the file, for messages.

    Raises
    ------
    BadInput
        The file is no XML, or has a document type.
    """
    parser = ElementTree.XMLParser(target=_NoDoctype())
    try:
        parser.feed(data)
        root = parser.close()
    except BadInput as error:
        raise BadInput(f"{name}: {error}") from None
    except (ElementTree.ParseError, ValueError, LookupError) as error:  # the last two: of its encoding
        raise BadInput(f"{name}: cannot be read as XML ({error})") from error
    if _tag(root) == VOC:
        return [_xml_row(root)]
    if _tag(root) in PAGES:
        return [_page_row(root)]
    if any(_tag(child) == TRACK for child in root):
        return _track_rows(root)
    listing = [child for child in root if len(child) > 1 and not child.attrib and len({of.tag for of in child}) == 1]
    root = listing[0] if len(listing) == 1 and listing[0][0].attrib else root  # `images` of dlib, beside its name
    tags = Counter(child.tag for child in root)
    if len(tags) == len(root) and not any(len(child) or child.attrib for child in root):
        return [_xml_row(root)]  # `<captcha><answer>BONE</answer></captcha>`
    usual = max(tags, key=tags.__getitem__, default="")
    return [_xml_row(child) for child in root if child.tag == usual]


def _track_rows(root: ElementTree.Element) -> list[dict[str, str]]:
    """Return the text of each frame of CVAT's XML of a video, which has a track for each thing that is marked.

    A track has a shape in each of its frames, and each shape the text as an attribute, or the track's label is a
    letter. CVAT names the pictures of its frames `frame_000012`.
    """
    frames: dict[int, list[Shape]] = {}
    for track in root:
        for shape in track if _tag(track) == TRACK else ():
            if shape.get("outside") != "1":
                said = dict(_xml_fields(shape))
                text = next((said[_key_of(inner)] for inner in shape if _tag(inner) == "attribute"), "")
                left, number = _xml_shape(shape).left, int(_number(shape.get("frame")))
                frames.setdefault(number, []).append(Shape(left, {"label": text or track.get("label", "")}))
    return [joined({"path": f"frame_{number:06d}"}, shapes) for number, shapes in sorted(frames.items())]


def _key_of(attribute: ElementTree.Element) -> str:
    return attribute.get("name") or attribute.findtext("name") or ""


def _page_row(root: ElementTree.Element) -> dict[str, str]:
    """Return the text of the only line of a page; '' of several lines."""
    lines = [element for element in root.iter() if _tag(element) == "TextLine"]
    texts = []
    for line in lines:
        whole = [inner for inner in line if _tag(inner) == "TextEquiv"][:1]  # the best comes first
        told = ["".join(inner.itertext()).strip() for text in whole for inner in text if _tag(inner) == "Unicode"]
        texts.append("".join(told or [inner.get("CONTENT", "") for inner in line if _tag(inner) == "String"]))
    return {"text": texts[0] if len(texts) == 1 else ""}


def _tag(element: ElementTree.Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _xml_row(picture: ElementTree.Element) -> dict[str, str]:
    fields = {key: value.strip() for key, value in picture.attrib.items() if key not in GEOMETRY}
    shapes: list[Shape] = []
    for child in picture:
        if len(child) or child.attrib:
            shapes += map(_xml_shape, _shapes_of(child))
        else:
            fields[_tag(child)] = (child.text or "").strip()
    return joined(fields, shapes)


def _shapes_of(child: ElementTree.Element) -> Iterable[ElementTree.Element]:
    """Return an element, or those that it only lists, as `taggedRectangles` lists `taggedRectangle`."""
    lists = not child.attrib and len({inner.tag for inner in child}) == 1
    return child if lists and all(len(inner) or inner.attrib for inner in child) else [child]


def _xml_shape(element: ElementTree.Element) -> Shape:
    found = dict(_xml_fields(element))
    first = found.get("points", "").partition(";")[0].partition(",")[0]
    left = _number(first) if first else next((_number(found[key]) for key in LEFT if key in found), 0.0)
    tag = _tag(element)
    # A VOC object's name is its label, not the name of a picture.
    renamed = {("label" if (tag, key) == ("object", "name") else key): value for key, value in found.items()}
    return Shape(left, {f"{tag}.{key}": value for key, value in renamed.items() if key not in GEOMETRY})


def _xml_fields(element: ElementTree.Element) -> Iterator[tuple[str, str]]:
    """Yield the attributes and texts within an element; those of `<attribute name="text">` under that name."""
    yield from ((key, value.strip()) for key, value in element.attrib.items())
    for child in element.iter():
        text = (child.text or "").strip()
        if _tag(child) == "attribute":
            yield _key_of(child), text or (child.findtext("value") or "").strip()
        elif not len(child) and text:
            yield _tag(child), text


# LabelMe and VIA ------------------------------------------------------------------------------------------------------


def labelme_row(value: object) -> dict[str, str] | None:
    """Return the fields of LabelMe's annotation of one picture; None if it is none."""
    if not isinstance(value, dict) or not isinstance(value.get("shapes"), list) or "imagePath" not in value:
        return None
    shapes = [
        Shape(
            min((_number(point[0]) for point in map(as_items, as_items(shape.get("points"))) if point), default=0.0),
            {key: _string(shape.get(key)) for key in ("label", "text", "description")},
        )
        for shape in value["shapes"] if isinstance(shape, dict)
    ]  # fmt: skip
    return joined({"path": _string(value["imagePath"])}, shapes)


def via_rows(value: object) -> list[dict[str, str]] | None:
    """Return the fields of each picture of VIA's annotations, or of a project of it; None if it is none."""
    if not isinstance(value, dict):
        return None
    pictures = value.get("_via_img_metadata", value)
    entries = list(pictures.values()) if isinstance(pictures, dict) else []
    if not entries or not all(isinstance(entry, dict) and {"filename", "regions"} <= entry.keys() for entry in entries):
        return None
    return [_via_row(entry) for entry in entries]


def _via_row(entry: dict[str, Any]) -> dict[str, str]:
    fields = _prefixed("file", entry.get("file_attributes"))
    return joined({"filename": _string(entry["filename"])} | fields, list(map(_via_shape, as_items(entry["regions"]))))


def _via_shape(region: object) -> Shape:
    place = as_object(as_object(region).get("shape_attributes"))
    edges = as_items(place.get("all_points_x")) or [place.get(key) for key in LEFT if key in place]
    return Shape(min(map(_number, edges), default=0.0), _prefixed("region", as_object(region).get("region_attributes")))


def _prefixed(prefix: str, fields: object) -> dict[str, str]:
    return {f"{prefix}.{key}": _string(value) for key, value in as_object(fields).items()}


def via_table(header: Sequence[str], rows: Iterable[Sequence[str]], name: str) -> list[dict[str, str]] | None:
    """Return the fields of each picture of VIA's CSV, which has a row for each region; None if it is none.

    Raises
    ------
    BadInput
        A cell of attributes is no JSON.
    """
    names = [cell.strip().lstrip("#") for cell in header]
    if not set(VIA_COLUMNS) <= set(names):
        return None
    pictures: dict[str, dict[str, Any]] = {}
    for cells in rows:
        row = dict.fromkeys(VIA_COLUMNS, "") | dict(zip(names, cells, strict=False))
        try:
            about, place, said = (json.loads(row[key] or "{}") for key in VIA_COLUMNS[1:])
        except (ValueError, RecursionError) as error:
            raise BadInput(f"{name}: the attributes of {row['filename']!r} are no JSON ({error})") from error
        entry = {"filename": row["filename"], "file_attributes": about, "regions": []}
        region = {"shape_attributes": place, "region_attributes": said}
        pictures.setdefault(row["filename"], entry)["regions"].append(region)
    return via_rows(pictures)


def box_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[dict[str, str]] | None:
    """Return the label of each picture of a table that has a row for each box, such as Roboflow's and TensorFlow's.

    None if it is none: it has no such columns, or each picture once.
    """
    names = [re.sub(r"[\W_]", "", cell.lower()) for cell in header]
    bare = BARE_BOXES.get(len(header), ())
    if bare and all(_is_number(cell) for cell, name in zip(header, bare, strict=True) if name in BOX_REST | {"xmin"}):
        names, rows = list(bare), [header, *rows]
    left = next((names.index(name) for name in (*BOX_LEFT, *BOX_ORDER) if name in names), -1)
    text = next((names.index(name) for name in BOX_TEXT if name in names), -1)
    if left < 0 or text < 0:
        return None
    sized = {"xmax", "x2", "right", "w", "width"} & set(names)
    if not sized and not (names[left] in BOX_ORDER and all(len(row[text]) == 1 for row in rows)):
        return None
    others = [k for k, name in enumerate(names) if k not in (left, text) and name not in BOX_REST]
    others = [k for k in others if names[k] in BOX_PICTURE] or others
    if len(others) != 1 or len({row[others[0]] for row in rows}) == len(rows):
        return None
    pictures: dict[str, list[Shape]] = {}
    for row in rows:
        pictures.setdefault(row[others[0]], []).append(Shape(_number(row[left]), {"label": row[text]}))
    return [joined({"path": path}, shapes) for path, shapes in pictures.items()]
