"""How strangers keep labels of pictures: each layout of docs/import.md, and those that must be asked about."""

import base64
import hashlib
import json
import random
import re
import unicodedata
import uuid
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest

from storage.errors import BadInput
from tasks.exchange.label_sources.column_kinds import is_result
from tasks.exchange.label_sources.companions import drawn_twice
from tasks.exchange.label_sources.label_in_name import difference, infer_pattern
from tasks.exchange.label_sources.name_parts import base64_texts
from tasks.exchange.label_sources.picture_index import Match, PictureIndex, split_of
from tasks.exchange.label_sources.written_labels import seen, unwrapped
from tasks.exchange.labelling import Labelling, LabelOptions, Zeros, shorter_numbers, tidy_label
from tasks.exchange.labels import find_labels
from tasks.exchange.preview import dry_report, notes_of
from tasks.exchange.scan import ImportRequest, Listing
from tasks.lowlevel.png_encoder import png

N = 24
PNG = b"\x89PNG\r\n\x1a\n"  # how a picture begins
CHANCE = random.Random(20240105)
LABELS = ["".join(CHANCE.choice("ABCDEFGHJKLMNPQRSTUVWXYZ23456789") for _ in range(4)) for _ in range(N)]
DIGITS = [f"{CHANCE.randrange(10_000):04d}" for _ in range(N)]
HASHES = [hashlib.md5(str(k).encode()).hexdigest() for k in range(N)]
SUMS = [f"{12 + k}{'+-'[k % 2]}{1 + k % 9}=" for k in range(N)]
PAIRS = list(enumerate(LABELS))
NUMBERS = [CHANCE.randrange(90_000) for _ in range(N)]  # of words in a list
HEBREW = [
    "".join(CHANCE.choice("\u05d0\u05d1\u05d2\u05d3\u05d4\u05d5\u05d6\u05d7") for _ in range(4)) for _ in range(N)
]
CLASSES = sorted(set("".join(LABELS)))
PLACES = [(part, k) for part in ("train", "valid") for k in range(N // 2)]
Files = dict[str, bytes]
Want = dict[str, str]


def named(name: Callable[[int, str], str], labels: list[str] = LABELS) -> tuple[Files, Want]:
    """Pictures whose names hold their labels."""
    want = {name(k, label): label for k, label in enumerate(labels)}
    assert len(want) == N
    return dict.fromkeys(want, b""), want


def beside(
    files: dict[str, str | bytes] | Callable[[Callable], dict[str, str | bytes]],
    picture: str = "{}.png",
    labels: list[str] = LABELS,
    hidden: int = 0,
) -> tuple[Files, Want]:
    """Numbered pictures, and files that hold their labels."""
    paths = [picture.format(k) for k in range(N)]
    made = files if isinstance(files, dict) else files(lambda row: "".join(map(row, range(N))))
    there = {name: text if isinstance(text, bytes) else text.encode() for name, text in made.items()}
    return dict.fromkeys(paths, b"") | there, dict(zip(paths[hidden:], labels[hidden:], strict=True))


def table(header: str, row: str = "{k}.png,{label}", name: str = "labels.csv", **options) -> tuple[Files, Want]:
    encoding, picture = options.pop("encoding", "utf-8"), options.pop("picture", "{}.png")
    labels, head = options.pop("labels", LABELS), options.pop("head", "")
    lines = [row.format(k=k, label=label, hash=HASHES[k]) for k, label in enumerate(labels)]
    text = head + "\n".join([*([header] if header else []), *lines, ""])
    return beside({name: text.encode(encoding)}, picture, labels)


def as_json(value: object, name: str = "labels.json", picture: str = "{}.png") -> tuple[Files, Want]:
    return beside({name: json.dumps(value, ensure_ascii=False)}, picture)


def with_file(name: str, text: str) -> tuple[Files, Want]:
    """Pictures whose names are their labels, beside a file of something else."""
    files, want = named(lambda k, label: f"{label}.png")
    return files | {name: text.encode()}, want


def in_splits(files: Callable[[str, str], dict[str, str]]) -> tuple[Files, Want]:
    """Folders train and test whose pictures have the same names; a file for each lies above them."""
    want = {f"{('train', 'test')[k % 2]}/{k // 2}.png": label for k, label in PAIRS}
    made = {}
    for split in ("train", "test"):
        made |= files(split, "".join(f"{path.rpartition('/')[2]},{want[path]}\n" for path in want if split in path))
    return dict.fromkeys(want, b"") | {name: text.encode() for name, text in made.items()}, want


def voc(label: str, letters: bool = False) -> str:
    """Pascal VOC as LabelImg writes it: one box of the text, or a box a letter, in no order."""
    boxes = sorted(enumerate(label), key=lambda box: HASHES[box[0]]) if letters else [(0, label)]
    return (
        "<annotation><folder>old</folder><filename>other.jpg</filename><path>C:\\old\\other.jpg</path>"
        "<source><database>Unknown</database></source>"
        "<size><width>100</width><height>30</height><depth>1</depth></size>"
        + "".join(
            f"<object><name>{text}</name><pose>Unspecified</pose><truncated>0</truncated><bndbox><xmin>{9 + 20 * k}"
            f"</xmin><ymin>{k}</ymin><xmax>{29 + 20 * k}</xmax><ymax>28</ymax></bndbox></object>"
            for k, text in boxes
        )
        + "</annotation>"
    )


def labelme(label: str, path: str, letters: bool = False) -> str:
    shapes = [(0, label)] if not letters else [*enumerate(label)][::-1]
    return json.dumps(
        {
            "version": "5.4.1", "flags": {}, "imagePath": path, "imageData": "iVBORw0KGgo" * 99,
            "shapes": [
                {"label": text, "points": [[90 + 20 * k, 3], [9 + 20 * k, 28]], "shape_type": "rectangle", "flags": {}}
                for k, text in shapes
            ],
        }
    )  # fmt: skip


def turned(k: int, label: str, is_turned: bool) -> str:
    """A row of a table, with the label first if it is turned."""
    return ",".join([f"{k}.png", label][:: -1 if is_turned else 1]) + "\n"


def via(attribute: str = "text") -> dict[str, object]:
    """VIA's annotations: a region a picture."""
    return {
        f"{k}.png{700 + k}": {
            "filename": f"{k}.png", "size": 700 + k, "file_attributes": {},
            "regions": [
                {
                    "shape_attributes": {"name": "rect", "x": k, "y": 2, "width": 90, "height": 20},
                    "region_attributes": {"type": "captcha", attribute: label},
                }
            ],
        }
        for k, label in enumerate(LABELS)
    }  # fmt: skip


def via_csv(letters: bool = False) -> str:
    head = "filename,file_size,file_attributes,region_count,region_id,region_shape_attributes,region_attributes\n"

    def cell(value: dict) -> str:
        return '"' + json.dumps(value).replace('"', '""') + '"'

    return head + "".join(
        f"{k}.png,7{k},{cell({})},{len(parts)},{number},{cell({'x': 20 * number})},{cell({'c': text})}\n"
        for k, label in enumerate(LABELS)
        for parts in [list(enumerate(label))[::-1] if letters else [(0, label)]]
        for number, text in parts
    )


def xml(row: str, root: str, head: str = '<?xml version="1.0" encoding="utf-8"?>') -> str:
    rows = "".join(row.format(k=k, label=label, first=label[0], rest=label[1:]) for k, label in enumerate(LABELS))
    return f"{head}<{root}>{rows}</{root}>"


def lines_of(rows: list[dict]) -> str:
    return "\n".join(map(json.dumps, rows))


def paddle(label: str) -> list[dict]:
    """PaddleOCR's boxes, one a letter, in no order."""
    boxes = [{"transcription": text, "points": [[20 * k + 9, 2], [20 * k, 22]]} for k, text in enumerate(label)]
    return boxes[::-1]


def coco() -> dict[str, list[dict]]:
    """COCO as tools for detection write it: a category a letter, boxes in no order."""
    return {
        "licenses": [], "categories": [{"id": k, "name": letter} for k, letter in enumerate(CLASSES)],
        "images": [{"id": k, "file_name": f"{k}.png", "height": 30, "date_captured": f"2024-01-{k + 1}"}
                   for k, _ in PAIRS],
        "annotations": [
            {"image_id": k, "category_id": CLASSES.index(letter), "bbox": [20 * place, 3, 15, 20]}
            for k, label in PAIRS for place, letter in reversed([*enumerate(label)])
        ],
    }  # fmt: skip


def labelbox(k: int, label: str, letters: bool = False) -> dict:
    """A row of Labelbox: an answer about the picture, or a box a letter in no order."""
    boxes = [{"name": c, "value": c.lower(), "annotation_kind": "ImageBoundingBox", "classifications": [],
              "bounding_box": {"top": 3.0, "left": 20.0 * n, "height": 20.0, "width": 15.0}}
             for n, c in enumerate(label)]  # fmt: skip
    answer = [{"name": "text", "value": "text", "text_answer": {"content": label}}]
    notes = {"objects": boxes[::-1] * letters, "classifications": answer * (not letters), "relationships": []}
    row = {"id": HASHES[k], "external_id": f"{k}.png", "row_data": f"https://x.y/{HASHES[k]}-{k}.png?Expires=17"}
    details = {"seconds_to_create": k % 5, "seconds_to_review": 0, "skipped": False}
    of = {"labels": [{"label_kind": "Default", "performance_details": details, "annotations": notes}]}
    return {"data_row": row, "media_attributes": {"height": 40}, "projects": {"p1": {"name": "captchas"} | of}}


def superannotate(k: int, label: str, letters: bool = False) -> str:
    """A picture of SuperAnnotate: a box with an attribute, or a box a letter in no order."""
    parts = [(n, c, []) for n, c in enumerate(label)]
    whole = [(0, "captcha", [{"id": 1, "groupName": "transcription", "name": label}])]
    shapes = [{"type": "bbox", "classId": 1, "className": name, "attributes": said, "pointLabels": {},
               "points": {"x1": 20.0 * n, "x2": 20.0 * n + 9, "y1": 2, "y2": 30}}
              for n, name, said in (parts[::-1] if letters else whole)]  # fmt: skip
    return json.dumps({"metadata": {"name": f"{k}.png", "status": "Completed"}, "instances": shapes, "tags": []})


def yolo(label: str) -> str:
    """YOLO's boxes, one a letter, in no order."""
    lines = [f"{CLASSES.index(letter)} {0.1 + 0.2 * k:.6f} 0.5 0.18 0.9" for k, letter in enumerate(label)]
    return "\n".join(lines[::-1])


def icdar(label: str) -> str:
    """ICDAR's boxes of four corners, one a letter, in no order."""
    return "\ufeff" + boxes(label, "{left},5,{right},5,{right},40,{left},40,{letter}\r\n")


def boxes(label: str, row: str) -> str:
    """A row for each letter, in no order."""
    rows = [row.format(letter=letter, left=9 + 20 * k, right=28 + 20 * k) for k, letter in enumerate(label)]
    return "".join(rows[::-1])


def page(label: str) -> str:
    return (
        '<PcGts xmlns="http://schema.primaresearch.org/PAGE/gts/pagecontent/2019-07-15"><Metadata><Creator>x</Creator>'
        '</Metadata><Page imageFilename="q.png"><TextRegion><TextLine><Coords points="1,2 3,4"/><TextEquiv><Unicode>'
        f"{label}</Unicode></TextEquiv></TextLine></TextRegion></Page></PcGts>"
    )


# The rows of the table in docs/import.md, by their first column.
LAYOUTS: dict[str, tuple[Files, Want]] = {
    "`BONE.png`": named(lambda k, label: f"{label}.png"),
    "`0001_BONE.png`": named(lambda k, label: f"{k:04d}_{label}.png"),
    "`BONE_12.jpg`": named(lambda k, label: f"{label}_{k}.jpg"),
    "`BONE_9e107d9d372bb6826bd81d3542a419d6.png`": named(lambda k, label: f"{label}_{HASHES[k]}.png"),
    "`BONE-3f2a91c0.png`": named(lambda k, label: f"{label}-{HASHES[k][:8]}.png"),
    "`BONE-0f8b5c3e-….png` (a UUID)": named(lambda k, label: f"{label}-{uuid.UUID(HASHES[k])}.png"),
    "`captcha_BONE.png`": named(lambda k, label: f"captcha_{label}.png"),
    "`2024-01-05_BONE.png`": named(lambda k, label: f"2024-01-{k + 1:02d}_{label}.png"),
    "`20240105-101233_BONE.png`": named(lambda k, label: f"202401{k + 1:02d}-10{k:02d}33_{label}.png"),
    "`BONE_1704067200.png` (seconds)": named(lambda k, label: f"{label}_{1704067200 + 977 * k}.png"),
    "`12_BONE_1704067200.png`": named(lambda k, label: f"{k}_{label}_{1704067200 + 977 * k}.png"),
    "`img12-BONE.png`": named(lambda k, label: f"img{k}-{label}.png"),
    "`img12(BONE).png`": named(lambda k, label: f"img{k}({label}).png"),
    "`12_[BONE].png`": named(lambda k, label: f"{k}_[{label}].png"),
    "`id=12&label=BONE.png`": named(lambda k, label: f"id={k}&label={label}.png"),
    "`00012 BONE.png`": named(lambda k, label: f"{k:05d} {label}.png"),
    "`BONE.3f2a91c0.png`": named(lambda k, label: f"{label}.{HASHES[k][:8]}.png"),
    "`BONE (1).png`, `BONE(1).png`, `BONE - Copy.png`": named(
        lambda k, label: label + ["", " (1)", "(2)", " - Copy", " copy 2"][k % 5] + ".png"
    ),
    "`BONE.png` and some `BONE_1.png`": named(lambda k, label: f"{label}{'_1' * (k % 6 == 0)}.png"),
    "`train/0001_BONE.png`, `test/0001_DUCK.png`": named(
        lambda k, label: f"{'train' if k < 16 else 'test'}/{k % 16:04d}_{label}.png"
    ),
    "`A/0001.png` (a folder a letter)": named(
        lambda k, label: f"{label}/{k // 8:04d}.png", [letter for _ in range(3) for letter in "ABCDEFGH"]
    ),
    "`train/A/1.png`": named(
        lambda k, label: f"{['train', 'val', 'test'][k // 8]}/{label}/1.png", list(3 * "ABCDEFGH")
    ),
    "`BONE/0.png` (a folder a word)": named(
        lambda k, label: f"{label}/{k % 3}.png", [LABELS[k // 3] for k in range(N)]
    ),
    "`labels.csv` with `filename,label`": table("filename,label"),
    "`labels.csv` with `image,solution`": table("image,solution"),
    "`labels.csv` with `bild;loesung`": table("bild;loesung", "{k}.png;{label}"),
    "`labels.csv` with a first line `sep=;`": table("sep=;\nbild;loesung", "{k}.png;{label}"),
    "`labels.csv` with bars": table("image|code", "{k}.png|{label}"),
    "`labels.csv` of pandas, with an index": table(",filename,label", "{k},{k}.png,{label}"),
    "`labels.csv` with other columns": table("filename,width,height,text", "{k}.png,1{k},30,{label}"),
    "`labels.csv` without a header": table(""),
    "`labels.csv`, label before path": table("", "{label},{k}.png"),
    "`labels.csv` with names without suffix": table("filename,label", "{k},{label}"),
    "`labels.csv` with `1` for `00001.png`": table("id,label", "{k},{label}", picture="{:05d}.png"),
    "`labels.csv` in UTF-16": table("filename,label", encoding="utf-16"),
    "`labels.csv` in UTF-16 without a mark": table("filename,label", encoding="utf-16-le"),
    "`labels.csv` with paths of another machine": table(
        "path,label", "C:\\Users\\me\\img\\{k}.png,{label}", picture="img/{}.png"
    ),
    "`labels.csv` beside a folder of pictures": table("filename,label", picture="images/{}.png"),
    "`labels/labels.csv` beside `images/`": table("filename,label", name="labels/labels.csv", picture="images/{}.png"),
    "`train.csv` with `id,label`": table("id,label", "{k},{label}", name="train.csv", picture="train/{}.png"),
    "a CSV with addresses (`https://…/1.png?sig=…`)": table(
        "id,url,label,created", "7{k},https://x.y/a/{k}.png?sig=abc=,{label},2024-01-05", name="export.csv"
    ),
    "a CSV without a header: number, path, label": table("", "{k},{k}.png,{label}", name="data.csv"),
    "`labels` without a suffix": table("", "{k}.png\t{label}", name="labels"),
    "`data.tsv`": table("name\tanswer", "{k}.png\t{label}", name="data.tsv"),
    "`labels.csv` with `IMG_1.png` for `img_1.PNG`": table("path,label", "IMG_{k}.png,{label}", picture="img_{}.PNG"),
    "`gt.txt` with tabs": table("", "{k}.png\t{label}", name="gt.txt", picture="images/{}.png"),
    "`labels.txt` with blanks": table("", "{k}.png {label}", name="labels.txt"),
    "`labels.txt` with commas": table("", "{k}.png,{label}", name="labels.txt"),
    "`labels.txt` with colons": table("", "{k}.png: {label}", name="labels.txt"),
    '`gt.txt` with `word_1.png, "BONE"` (ICDAR)': table(
        "", 'word_{k}.png, "{label}"', name="gt.txt", picture="word_{}.png"
    ),
    "`train.txt` and `val.txt`": beside(
        lambda text: {
            f"{split}.txt": text(lambda k, keep=keep: f"{k}.png {LABELS[k]}\n" if (k % 4 > 0) is keep else "")
            for split, keep in (("train", True), ("val", False))
        },
        "images/{}.png",
    ),
    "`Label.txt` of PaddleOCR": beside(
        lambda text: {
            "Label.txt": text(
                lambda k: f"imgs/{k}.png\t{json.dumps([{'transcription': LABELS[k], 'points': [[0, 0], [9, 9]]}])}\n"
            )
        },
        "imgs/{}.png",
    ),
    "a `.txt` a picture": beside({f"{k}.txt": LABELS[k] + "\r\n" for k in range(N)}),
    "a `.gt.txt` a picture": beside({f"{k}.gt.txt": LABELS[k].encode("utf-8-sig") for k in range(N)}),
    "`labels/1.txt` for `images/1.png`": beside({f"labels/{k}.txt": LABELS[k] for k in range(N)}, "images/{}.png"),
    "`labels.json`: `{\"1.png\": \"BONE\"}`": as_json({f"{k}.png": label for k, label in enumerate(LABELS)}),
    "`labels.json`: `{\"1.png\": {\"label\": \"BONE\"}}`": as_json(
        {f"{k}.png": {"label": label, "width": 100} for k, label in enumerate(LABELS)}
    ),
    "`labels.json`: a list of objects": as_json(
        [{"image": f"{k}.png", "solution": label} for k, label in enumerate(LABELS)]
    ),
    "`labels.json`: a list of pairs": as_json([[f"{k}.png", label] for k, label in enumerate(LABELS)]),
    "`labels.json`: `{\"images\": […], \"labels\": […]}`": as_json(
        {"images": [f"{k}.png" for k in range(N)], "labels": LABELS}
    ),
    "`labels.json`: `{\"train\": [{…}], \"val\": [{…}]}`": as_json(
        {
            split: [{"file": f"{k}.png", "text": label} for k, label in enumerate(LABELS) if (k % 4 > 0) is keep]
            for split, keep in (("train", True), ("val", False))
        }
    ),
    "COCO with a caption a picture": as_json(
        {
            "images": [{"id": 5 + k, "file_name": f"{k}.png"} for k in range(N)],
            "annotations": [{"id": 900 + k, "image_id": 5 + k, "caption": label} for k, label in enumerate(LABELS)],
        },
        "captions.json",
    ),
    "`metadata.jsonl` of Hugging Face": beside(
        {"metadata.jsonl": lines_of([{"file_name": f"{k}.png", "text": label} for k, label in enumerate(LABELS)])}
    ),
    "`metadata.csv` in each of `train/`, `test/`": (
        {
            **{f"{split}/{k}.png": b"" for split in ("train", "test") for k in range(N)},
            **{
                f"{split}/metadata.csv": "".join(
                    ["file_name,text\n", *(f"{k}.png,{label}\n" for k, label in enumerate(LABELS))]
                ).encode()
                for split in ("train", "test")
            },
        },
        {f"{split}/{k}.png": label for split in ("train", "test") for k, label in enumerate(LABELS)},
    ),
    "JSON of Label Studio": as_json(
        [
            {
                "id": 50 + k,
                "annotations": [
                    {"id": k, "result": [{"value": {"text": [label]}, "from_name": "t", "type": "textarea"}]}
                ],
                "data": {"image": f"/data/upload/1/{HASHES[k][:8]}-{k}.png"},
            }
            for k, label in enumerate(LABELS)
        ],
        "project-1.json",
    ),
    "CSV of Label Studio": table(
        "annotation_id,created_at,id,image,transcription",
        "9{k},2024-01-01T10:{k:02d},5{k},/data/upload/1/{hash:.8}-{k}.png,{label}",
        name="project-1.csv",
    ),
    "Pascal VOC: an `.xml` a picture": beside({f"{k}.xml": voc(label) for k, label in enumerate(LABELS)}),
    "Pascal VOC: a box a letter": beside({f"{k}.xml": voc(label, True) for k, label in enumerate(LABELS)}),
    "`Annotations/1.xml` for `JPEGImages/1.jpg`": beside(
        {f"Annotations/{k}.xml": voc(label) for k, label in enumerate(LABELS)}, "JPEGImages/{}.jpg"
    ),
    "XML of CVAT": beside(
        {
            "annotations.xml": xml(
                '<image id="{k}" name="{k}.png" width="100" height="30"><box label="captcha" occluded="0" xtl="{k}"'
                ' ytl="2" xbr="90" ybr="20" z_order="0"><attribute name="text">{label}</attribute></box></image>',
                "annotations", '<?xml version="1.0" encoding="utf-8"?>\n',
            ).replace("<annotations>", "<annotations><version>1.1</version><meta><task><id>7</id></task></meta>")
        }
    ),
    "XML of ICDAR and SVT": beside(
        {
            "train.xml": xml(
                '<image><imageName>img/{k}.png</imageName><lex>A,B</lex><Resolution x="100" y="30"/>'
                '<taggedRectangles><taggedRectangle height="9" width="9" x="{k}" y="1"><tag>{label}</tag>'
                "</taggedRectangle></taggedRectangles></image>", "tagset",
            )
        }, "img/{}.png",
    ),
    "other XML: an element a picture": beside(
        {"words.xml": xml('<image file="{k}.png" tag="{label}"/>', "imagelist")}
    ),
    "LabelMe: a `.json` a picture": beside({f"{k}.json": labelme(v, f"{k}.png") for k, v in enumerate(LABELS)}),
    "LabelMe: a shape a letter": beside(
        {f"{k}.json": labelme(v, f"..\\{k}.png", True) for k, v in enumerate(LABELS)}
    ),
    "other JSON a picture: `{\"text\": \"BONE\"}`": beside(
        {f"{k}.json": json.dumps({"image": f"{k}.png", "text": v, "font": "Inter"}) for k, v in enumerate(LABELS)}
    ),
    "JSON of VIA": as_json(via(), "via_region_data.json"),
    "a project of VIA": as_json(
        {"_via_settings": {"ui": {}}, "_via_img_metadata": via("wert"), "_via_attributes": {"region": {}, "file": {}}},
        "via_project_5Jan2024.json",
    ),
    "CSV of VIA": beside({"via_region_data.csv": via_csv()}),
    "CSV of VIA: a region a letter": beside({"via_export_csv.csv": via_csv(True)}),
    "`BONE__0001.png`": named(lambda k, label: f"{label}__{k:04d}.png"),
    "`BONE@12.png`": named(lambda k, label: f"{label}@{k}.png"),
    "`img_12#BONE.png`": named(lambda k, label: f"img_{k}#{label}.png"),
    "`12,BONE.png`": named(lambda k, label: f"{k},{label}.png"),
    "`{BONE}12.png`": named(lambda k, label: f"{{{label}}}{k}.png"),
    "`12%2B5%3D.png` for `12+5=`": (
        dict.fromkeys((f"{quote(text, safe='')}.png" for text in SUMS), b""),
        {f"{quote(text, safe='')}.png": text for text in SUMS},
    ),
    "`0001_a_B_c_D.png` for `aBcD`": named(lambda k, label: f"{k:04d}_{'_'.join(label)}.png"),
    "`BONE_png.rf.9e107d9d372bb6826bd81d3542a419d6.jpg`": named(lambda k, label: f"{label}_png.rf.{HASHES[k]}.jpg"),
    "`labels.csv` with lines of comment": table("# by me, 2024\nbild;loesung", "{k}.png;{label}"),
    "`labels.csv` in single quotes": table("'path','label'", "'{k}.png','{label}'"),
    "`labels.tsv` with a quote in a label": table(
        "path\tlabel", "{k}.png\t{label}", name="labels.tsv", labels=[f'"{v}' if k % 7 == 3 else v for k, v in PAIRS]
    ),
    "`labels.txt` with `1.png = BONE`": table("", "{k}.png = {label}", name="labels.txt"),
    "`labels.txt` with `1.png->BONE`": table("", "{k}.png->{label}", name="labels.txt"),
    "`train.lst` of MXNet": table("", "{k}\t{label}\t{k}.png", name="train.lst"),
    "`Label.txt` of PaddleOCR: a box a letter, beside `fileState.txt`": beside(
        lambda text: {
            "Label.txt": text(lambda k: f"imgs/{k}.png\t{json.dumps(paddle(LABELS[k]))}\n"),
            "fileState.txt": text(lambda k: f"C:\\me\\imgs\\{k}.png\t1\n"),
        },
        "imgs/{}.png",
    ),
    "`{\"data\": {\"annotations\": [{…}]}}`": as_json(
        {"data": {"made": "today", "annotations": [{"image": f"{k}.png", "text": v} for k, v in PAIRS]}}
    ),
    "`{\"train\": {\"1.png\": \"BONE\"}, \"val\": {…}}`": as_json(
        {
            part: {f"{k}.png": v for k, v in PAIRS if (k % 4 > 0) is keep}
            for part, keep in (("train", True), ("val", False))
        }
    ),
    "`{\"1.png\": [\"B\", \"O\", \"N\", \"E\"]}`": as_json({f"{k}.png": list(v) for k, v in PAIRS}),
    "`metadata.jsonl` of Donut: JSON in a text": beside(
        {
            "metadata.jsonl": lines_of(
                [{"file_name": f"{k}.png", "truth": json.dumps({"gt_parse": {"text": v}})} for k, v in PAIRS]
            )
        }
    ),
    "COCO: a box a letter": as_json(coco(), "_annotations.coco.json"),
    "COCO-Text": as_json(
        {
            "imgs": {str(k): {"id": k, "file_name": f"{k}.png", "set": "train"} for k, _ in PAIRS},
            "anns": {str(k): {"image_id": k, "utf8_string": v, "bbox": [1, 2, 3, 4]} for k, v in PAIRS},
        },
        "cocotext.json",
    ),
    "`output.manifest` of Ground Truth": beside(
        {"output.manifest": lines_of([{"source-ref": f"s3://b/{k}.png", "text": v} for k, v in PAIRS])}
    ),
    "YOLO: a box a letter, and `classes.txt`": beside(
        {"classes.txt": "\n".join(CLASSES)} | {f"labels/{k}.txt": yolo(v) for k, v in PAIRS}, "images/{}.png"
    ),
    "YOLO: a box a letter, and `data.yaml`": beside(
        {"data.yaml": f"train: ../train\nnc: {len(CLASSES)}\nnames: {CLASSES}\n"}
        | {f"{k}.txt": yolo(v) for k, v in PAIRS}
    ),
    "`train/labels/1.txt` for `train/images/1.png`, `valid/…`": (
        {f"{part}/images/{k}.png": b"" for part in ("train", "valid") for k in range(N // 2)}
        | {f"{part}/labels/{k}.txt": label.encode() for (part, k), label in zip(PLACES, LABELS, strict=True)},
        {f"{part}/images/{k}.png": label for (part, k), label in zip(PLACES, LABELS, strict=True)},
    ),
    "`1.bin.png` and `1.nrm.png` with `1.gt.txt` (Kraken)": (
        {f"{k}.{made}.png": b"" for k, _ in PAIRS for made in ("bin", "nrm")}
        | {f"{k}.gt.txt": label.encode() for k, label in PAIRS},
        {f"{k}.{made}.png": label for k, label in PAIRS for made in ("bin", "nrm")},
    ),
    "`label-0001.txt` for `image-0001.png` (LMDB)": beside(
        {f"label-{k}.txt": label for k, label in PAIRS}, "image-{}.png"
    ),
    "`0001/label.txt` for `0001/captcha.png`": beside({f"{k}/label.txt": v for k, v in PAIRS}, "{}/captcha.png"),
    "a `.caption` a picture": beside({f"{k}.caption": label for k, label in PAIRS}),
    "`gt_img_1.txt` for `img_1.jpg` (ICDAR): a box a letter": beside(
        {f"gt_img_{k}.txt": icdar(label) for k, label in PAIRS}, "img_{}.jpg"
    ),
    "a `.box` of Tesseract a picture": beside(
        {
            f"{k}.box": "".join(f"{letter} {9 + 20 * place} 5 {28 + 20 * place} 40 0\n"
                                for place, letter in enumerate(label))
            for k, label in PAIRS
        }
    ),
    "a `.box` of Tesseract: the text of a line": beside(
        {f"{k}.box": f"WordStr 0 0 90 40 0 #{label}\n\t 90 0 91 40 0\n" for k, label in PAIRS}
    ),
    "XML of PAGE (Kraken, Transkribus)": beside({f"page/{k}.xml": page(label) for k, label in PAIRS}),
    "XML of ALTO": beside(
        {
            f"{k}.xml": f'<alto><Layout><TextLine><String CONTENT="{label[:2]}"/><String CONTENT="{label[2:]}"/>'
            "</TextLine></Layout></alto>"
            for k, label in PAIRS
        }
    ),
    "`_annotations.csv` of Roboflow: a box a letter": beside(
        lambda text: {
            "_annotations.csv": "filename,width,height,class,xmin,ymin,xmax,ymax\n"
            + text(lambda k: boxes(LABELS[k], f"{k}.png,140,48,{{letter}},{{left}},5,{{right}},40\n"))
        }
    ),
    "a CSV of RetinaNet: a box a letter, no header": beside(
        lambda text: {"boxes.csv": text(lambda k: boxes(LABELS[k], f"{k}.png,{{left}},5,{{right}},40,{{letter}}\n"))}
    ),
    "a CSV of makesense.ai: a box a letter": beside(
        lambda text: {"labels.csv": text(lambda k: boxes(LABELS[k], f"{{letter}},{{left}},5,9,30,{k}.png,140,48\n"))}
    ),
    "a CSV with a row a letter and its position": beside(
        lambda text: {
            "letters.csv": "image,position,char\n"
            + text(lambda k: boxes(LABELS[k], f"{k}.png,{{left}},{{letter}}\n"))
        }
    ),
    "`_classes.csv` of Roboflow: a column a class": beside(
        {"_classes.csv": "filename, A, B\n" + "".join(f"{k}.png, {1 - k % 2}, {k % 2}\n" for k in range(N))},
        labels=["AB"[k % 2] for k in range(N)],
    ),
    "`labels.json`: `{\"BONE\": [\"1.png\", …]}`": as_json({label: [f"{k}.png"] for k, label in PAIRS}),
    "`{\"features\": […], \"rows\": [{…}]}` of Hugging Face": as_json(
        {
            "features": [{"name": "image"}, {"name": "text"}],
            "rows": [{"row": {"image": {"src": f"https://x.y/{k}.png?Sig=a"}, "text": v}} for k, v in PAIRS],
        }
    ),
    "JSON with letters and their places": as_json(
        [{"file": f"{k}.png", "chars": [{"c": c, "x": 20 * n} for n, c in enumerate(v)][::-1]} for k, v in PAIRS]
    ),
    "`labels.csv` with `=\"0417\"`, as for spreadsheets": table("image,label", '{k}.png,"=""{label}"""', labels=DIGITS),
    "`labels.txt` with lines that end as on old Macs": beside(
        {"labels.txt": "".join(f"{k}.png {label}\r" for k, label in PAIRS)}
    ),
    "`labels.csv` with `img_1.png` for `img_0001.png`": table(
        "path,label", "img_{k}.png,{label}", picture="img_{:04d}.png"
    ),
    "`'BONE'.png`": named(lambda k, label: f"'{label}'.png"),
    "`BONE_12.png` beside lists of a split": (
        named(lambda k, label: f"{label}_{k}.png")[0]
        | {"train.txt": "".join(f"{label}_{k}.png\n" for k, label in PAIRS[:16]).encode(),
           "val.txt": "".join(f"{label}_{k}\n" for k, label in PAIRS[16:]).encode()},
        named(lambda k, label: f"{label}_{k}.png")[1],
    ),
    "`annotation.txt` of MJSynth: `./2/1/12_BONE_45484.jpg 45484`": (
        {f"2/1/{k}_{label}_{NUMBERS[k]}.jpg": b"" for k, label in PAIRS}
        | {"annotation.txt": "".join(f"./2/1/{k}_{v}_{NUMBERS[k]}.jpg {NUMBERS[k]}\n" for k, v in PAIRS).encode()},
        {f"2/1/{k}_{label}_{NUMBERS[k]}.jpg": label for k, label in PAIRS},
    ),
    "`BONE.png` beside `history.csv` of a training": with_file("history.csv", "epoch,loss,accuracy\n0,0.9,0.1\n"),
    "`BONE.png` beside `md5sums.txt`": with_file(
        "md5sums.txt", "".join(f"{HASHES[k]}  {label}.png\n" for k, label in PAIRS)
    ),
    "`BONE.png` beside `fonts.csv` with `file,font`": with_file(
        "fonts.csv", "file,font\n" + "".join(f"{label}.png,{['Inter', 'Arial'][k % 2]}\n" for k, label in PAIRS)
    ),
    "`BONE.png` beside `split.csv` with `file,part`": with_file(
        "split.csv", "file,part\n" + "".join(f"{label}.png,{['train', 'test'][k % 2]}\n" for k, label in PAIRS)
    ),
    "`BONE.png` beside Kaggle's `dataset-metadata.json`": with_file(
        "dataset-metadata.json", '{"title": "t", "licenses": [{"name": "CC0-1.0"}]}'
    ),
    "`rec_gt.txt` of PaddleOCR: several pictures a row": (
        {f"{made}/{k}.png": b"" for k in range(N) for made in "ab"}
        | {"rec_gt.txt": "".join(f'["a/{k}.png", "b/{k}.png"]\t{label}\n' for k, label in PAIRS).encode()},
        {f"{made}/{k}.png": label for k, label in PAIRS for made in "ab"},
    ),
    "`train_labels.csv` for `train/1.png`, `test_labels.csv` for `test/1.png`": in_splits(
        lambda split, rows: {f"{split}_labels.csv": "filename,label\n" + rows}
    ),
    "`train.txt` for `train/1.png`, `test.txt` for `test/1.png`": in_splits(
        lambda split, rows: {f"{split}.txt": rows.replace(",", " ")}
    ),
    "`labels.csv` with `split,filename,label`": (
        {f"{part}/{k}.png": b"" for part, k in PLACES}
        | {"labels.csv": ("split,filename,label\n" + "".join(
            f"{part},{k}.png,{label}\n" for (part, k), label in zip(PLACES, LABELS, strict=True))).encode()},
        {f"{part}/{k}.png": label for (part, k), label in zip(PLACES, LABELS, strict=True)},
    ),
    "a CSV of AutoML: `TRAIN,gs://b/1.png,BONE`": beside(
        lambda text: {"import.csv": text(lambda k: f"{['TRAIN', 'TEST'][k % 2]},gs://b/{k}.png,{LABELS[k]}\n")}
    ),
    "`labels.csv` with `prediction,actual`": table("file,prediction,actual", "{k}.png,{hash:.4},{label}"),
    "`labels.csv` with `OK|BONE`, as services answer": table("file,response", "{k}.png,OK|{label}"),
    "`labels.csv` with `['B', 'O', 'N', 'E']`": beside(
        lambda text: {"labels.csv": "file,label\n" + text(lambda k: f'{k}.png,"{list(LABELS[k])}"\n')}
    ),
    "`labels.csv` with `b'BONE'`": table("file,label", "{k}.png,b'{label}'"),
    "`labels.csv` with `<BONE>`": table("file,label", "{k}.png,<{label}>"),
    "`labels.csv` with `BO&amp;NE`": beside(
        lambda text: {"labels.csv": "file,label\n" + text(lambda k: f"{k}.png,{LABELS[k]}&amp;\n")},
        labels=[f"{label}&" for label in LABELS],
    ),
    "`labels.txt` with two byte order marks": table("", "{k}.png {label}", name="labels.txt", head="\ufeff\ufeff"),
    "`labels.csv` with rows twice": table("file,label", "{k}.png,{label}\n{k}.png,{label}"),
    "JSON of CreateML: a box a letter": as_json(
        [{"image": f"{k}.png", "annotations": [{"label": c, "coordinates": {"x": 20 * n, "y": 9, "width": 9}}
                                               for n, c in enumerate(v)][::-1]} for k, v in PAIRS],
        "_annotations.createml.json",
    ),
    "JSON of Label Studio with predictions": as_json(
        [{"annotations": [{"result": [{"value": {"text": [v]}}]}], "data": {"image": f"{k}.png"},
          "predictions": [{"result": [{"value": {"text": [HASHES[k][:4]]}}]}]} for k, v in PAIRS],
    ),
    "a `.txt` a picture: `1.png BONE`": beside({f"{k}.txt": f"{k}.png {label}" for k, label in PAIRS}),
    "`BONE_200x70.png` (sizes)": named(lambda k, label: f"{label}_{200 + k % 5}x{70 + k % 3}.png"),
    "`BONE_aug1.png`, `BONE_flip.png`": named(lambda k, label: f"{label}_{['aug1', 'aug2', 'flip'][k % 3]}.png"),
    "`BONE_0.94.png` (a share)": named(lambda k, label: f"{label}_0.{90 + k % 10}.png"),
    "`BONE_1704067204.150868.png` (`time.time()`)": named(
        lambda k, label: f"{label}_1704067{200 + k}.{37717 * k % 10**6:06d}.png"
    ),
    "`BONE_2024-01-05T10-12-33.png`": named(lambda k, label: f"{label}_2024-01-05T10-{11 * k % 60:02d}-33.png"),
    "`BONE_2024-01-05_10-12-33-150868.png`": named(
        lambda k, label: f"{label}_2024-01-05_10-{11 * k % 60:02d}-33-{37717 * k % 10**6:06d}.png"
    ),
    "`0012_BONE/captcha.png`": named(lambda k, label: f"{k:04d}_{label}/captcha.png"),
    "`A_upper/1.png`, `a_lower/1.png`": named(
        lambda k, label: f"{label}_{'upper' if label.isupper() else 'lower'}/{k // 8}.png", list(3 * "ABCDabcd")
    ),
    "`metadata.jsonl` of Hugging Face: `bbox` and `categories`, a letter each": beside(
        {"metadata.jsonl": lines_of([
            {"file_name": f"{k}.png",
             "objects": {"bbox": [[20 * n, 1, 9, 9] for n in (3, 2, 1, 0)], "categories": list(v[::-1])}}
            for k, v in PAIRS])}
    ),
    "Pascal VOC: a box `captcha` around a box a letter": beside(
        {f"{k}.xml": voc(v, True).replace("<object>", "<object><name>captcha</name></object><object>", 1)
         for k, v in PAIRS}
    ),
    "Pascal VOC: a box a letter in Hebrew": beside(
        {f"{k}.xml": voc(v[::-1], True) for k, v in enumerate(HEBREW)}, labels=HEBREW
    ),
    "YOLO: a box a letter, some twice": beside(
        {"classes.txt": "\n".join(CLASSES)} | {f"{k}.txt": "\n".join([yolo(v), *yolo(v).splitlines()[:2]])
                                               for k, v in PAIRS}
    ),
    "`BONE.png` beside `test.csv`, a list of names": with_file(
        "test.csv", "file\n" + "".join(f"{label}.png\n" for label in LABELS)
    ),
    "JSON of Label Studio: a box a letter": as_json(
        [{"data": {"image": f"{k}.png"}, "annotations": [{"result": [
            {"id": "b", "value": {"x": 20 * n, "rectanglelabels": [c]}} for n, c in enumerate(v)][::-1]}]}
         for k, v in PAIRS]
    ),
    "`{\"1.png\": [{\"char\": \"B\", \"box\": […]}, …]}`": as_json(
        {f"{k}.png": [{"char": c, "box": [20 * n, 1, 9, 9]} for n, c in enumerate(v)][::-1] for k, v in PAIRS}
    ),
    "YOLO: a box a letter, and `classes.txt` with `0: A`": beside(
        {"classes.txt": "\n".join(f"{k}: {letter}" for k, letter in enumerate(CLASSES))}
        | {f"{k}.txt": yolo(v) for k, v in PAIRS}
    ),
    "`labels.csv` with `=IMAGE(\"https://…/1.png\")`": table(
        "image,label", '"=IMAGE(""https://x.y/{k}.png"")",{label}'
    ),
    "a `.txt` a picture: `\"BONE\"`": beside({f"{k}.txt": f'"{label}"' for k, label in PAIRS}),
    "`labels.csv` with `BONE\\n`, as programs write a break": table("file,label", "{k}.png,{label}\\n"),
    "`labels.csv` with `BONE[s]`, a model's token": table("file,label", "{k}.png,{label}[s]"),
    "`\u200fBONE_12.png` (a mark of direction)": (
        {f"\u200f{label}_{k}.png": b"" for k, label in PAIRS}, {f"\u200f{label}_{k}.png": label for k, label in PAIRS},
    ),
    "CVAT's XML of a video: a track a picture `frame_000012.png`": beside(
        {"annotations.xml": "<annotations><meta/>" + "".join(
            f'<track id="{k}" label="captcha" source="manual"><box frame="{k}" outside="0" xtl="1">'
            f'<attribute name="text">{v}</attribute></box><box frame="{k + 1}" outside="1" xtl="1">'
            f'<attribute name="text">{v}</attribute></box></track>' for k, v in PAIRS) + "</annotations>"},
        picture="frame_{:06d}.png",
    ),
    "JSON of Datumaro: a box a letter": as_json(
        {"info": {}, "categories": {"label": {"labels": [{"name": letter} for letter in CLASSES]}},
         "items": [{"id": str(k), "image": {"path": f"{k}.png"}, "annotations": [
             {"id": n, "type": "bbox", "label_id": CLASSES.index(c), "bbox": [20 * n, 3, 15, 20]}
             for n, c in enumerate(v)][::-1]} for k, v in PAIRS]},
        name="annotations/default.json",
    ),
    "own XML a picture: `<captcha><answer>BONE</answer></captcha>`": beside(
        {f"{k}.xml": f"<captcha><ts>1704067{k:03d}</ts><answer>{v}</answer></captcha>" for k, v in PAIRS}
    ),
    "`{\"1.png\": [\"BONE\"]}`": as_json({f"{k}.png": [v] for k, v in PAIRS}),
    "`labels.csv` with `BONE__`, filled up to one length": table(
        "file,label", "{k}.png,{label:_<6}", labels=[v[: 2 + k % 3] for k, v in PAIRS]
    ),
    "`labels.csv` with `BONE<pad><pad>`": beside(
        {"labels.csv": "f,label\n" + "".join(f"{k}.png,{v[: 2 + k % 3]}{'<pad>' * (2 - k % 3)}\n" for k, v in PAIRS)},
        labels=[v[: 2 + k % 3] for k, v in PAIRS],
    ),
    "`labels.csv` with `B|O|N|E`": table(
        "file,label", "{k}.png,{label[0]}|{label[1]}|{label[2]}|{label[3]}"
    ),
    "`labels.csv` with `B ##O ##N ##E`, as tokens": table(
        "file,label", "{k}.png,{label[0]} ##{label[1]} ##{label[2]} ##{label[3]}"
    ),
    "`labels.csv` with `12%2B5%3D` for `12+5=`": beside(
        {"labels.csv": "file,label\n" + "".join(f"{k}.png,{quote(v)}\n" for k, v in enumerate(SUMS))}, labels=SUMS
    ),
    "`labels.csv` with `\\u05d0`, as JSON writes letters": beside(
        {"labels.csv": "file,label\n" + "".join(
            f"{k}.png,{v.encode('unicode_escape').decode()}\n" for k, v in enumerate(HEBREW))}, labels=HEBREW
    ),
    "`log.txt` with `1.png -> OK|BONE`": table("", "{k}.png -> OK|{label}", name="log.txt"),
    "`BONE.png` and `BONE@2x.png`, twice as large": named(lambda k, label: f"{label}{'@2x' * (k % 2)}.png"),
    "`BONE.png` and `BONE.png.1`, as wget names copies": named(lambda k, label: f"{label}.png{'.1' * (k % 2)}"),
    "`captcha.php?code=BONE`": (
        {f"captcha.php?t={7919 * k}&code={v}": PNG for k, v in PAIRS},
        {f"captcha.php?t={7919 * k}&code={v}": v for k, v in PAIRS},
    ),
    "`labels.csv` for pictures named `captcha.php.1`": (
        {f"captcha.php.{k}": PNG for k in range(N)}
        | {"labels.csv": ("f,l\n" + "".join(f"captcha.php.{k},{v}\n" for k, v in PAIRS)).encode()},
        {f"captcha.php.{k}": v for k, v in PAIRS},
    ),
    "JSON of V7: a box a letter": beside({
        f"{k}.json": json.dumps({"item": {"name": f"{k}.png"}, "annotations": [
            {"id": HASHES[n], "name": c, "bounding_box": {"x": 20.5 * n, "y": 3, "w": 15, "h": 20}}
            for n, c in enumerate(v)][::-1]})
        for k, v in PAIRS}),
    "JSON of pandas, by columns": as_json(
        {"file": {str(k): f"{k}.png" for k in range(N)}, "label": {str(k): v for k, v in PAIRS}}
    ),
    "JSON of pandas, split": as_json(
        {"columns": ["file", "label"], "index": list(range(N)), "data": [[f"{k}.png", v] for k, v in PAIRS]}
    ),
    "`labels.csv` with `BONE.` or `BONE;`": table("file,label", "{k}.png,{label};"),
    "`@eaDir/`, `__MACOSX/` and `$RECYCLE.BIN/` beside `BONE.png`": (
        {f"{folder}/{label}.png": b"" for folder in ("@eaDir", "__MACOSX", "$RECYCLE.BIN") for label in LABELS}
        | named(lambda k, label: f"{label}.png")[0],
        named(lambda k, label: f"{label}.png")[1],
    ),
    "`labels.csv` with path and label turned in some rows": beside(
        lambda text: {"labels.csv": "file,label\n" + text(lambda k: turned(k, LABELS[k], k > 11))}
    ),
    "`labels.csv` without a header, turned in half of the rows": beside(
        lambda text: {"labels.csv": text(lambda k: turned(k, LABELS[k], k % 2 == 0))}
    ),
    "`labels.txt` with a literal of Python: `{'1.png': 'BONE'}`": beside(
        {"labels.txt": "labels = " + repr({f"{k}.png": v for k, v in PAIRS})}
    ),
    "`labels.txt` with a tuple a line: `('1.png', 'BONE')`": beside(
        {"labels.txt": "".join(f"('{k}.png', '{v}'),\n" for k, v in PAIRS)}
    ),
    "`train_label.txt` with an object of JSON a line": beside(
        {"train_label.txt": lines_of([{"filename": f"{k}.png", "text": v} for k, v in PAIRS])}
    ),
    "JSON with comments and a comma too many": beside(
        {"labels.json": "{ // mine\n" + "".join(f'"{k}.png": "{v}",\n' for k, v in PAIRS) + "}"}
    ),
    "NDJSON of Labelbox: an answer a picture": beside({"export.ndjson": lines_of([labelbox(k, v) for k, v in PAIRS])}),
    "NDJSON of Labelbox: a box a letter": beside(
        {"export.ndjson": lines_of([labelbox(k, v, True) for k, v in PAIRS])}
    ),
    "JSON of Labelbox, first version: a box a letter": as_json(
        [{"ID": HASHES[k], "Labeled Data": f"https://x.y/{HASHES[-k]}.png", "External ID": f"{k}.png", "Skipped": False,
          "Seconds to Review": 0, "Label": {"objects": [
              {"title": c, "value": c.lower(), "bbox": {"top": 3, "left": 20 * n, "height": 9, "width": 9}}
              for n, c in enumerate(v)][::-1], "classifications": []}} for k, v in PAIRS], "export.json"
    ),
    "JSON of SuperAnnotate: an attribute, in `1.png.json`": beside(
        {f"{k}.png.json": superannotate(k, v) for k, v in PAIRS}
    ),
    "JSON of SuperAnnotate: a box a letter, in `1.png___objects.json`": beside(
        {f"{k}.png___objects.json": superannotate(k, v, True) for k, v in PAIRS}
    ),
    "JSON of FiftyOne: boxes with numbers of classes": as_json(
        {"classes": CLASSES, "labels": {str(k): [
            {"label": CLASSES.index(c), "bounding_box": [0.2 * n, 0.1, 0.1, 0.8]} for n, c in enumerate(v)][::-1]
            for k, v in PAIRS}}, picture="data/{}.png"
    ),
    "JSON of VoTT: a box a letter": as_json(
        {"name": "x", "tags": [{"name": c, "color": "#f"} for c in CLASSES], "assets": {HASHES[k]: {
            "asset": {"id": HASHES[k], "name": f"{k}.png", "path": f"file:C:/x/{k}.png"}, "regions": [
                {"id": "a", "tags": [c], "boundingBox": {"left": 20.5 * n, "top": 3}} for n, c in enumerate(v)][::-1]}
            for k, v in PAIRS}}, "x-export.json"
    ),
    "JSON of Supervisely: a box a letter": beside(
        {f"ann/{k}.png.json": json.dumps({"tags": [], "objects": [
            {"id": 9 * k + n, "classTitle": c, "points": {"exterior": [[20 * n, 3], [20 * n + 9, 30]], "interior": []}}
            for n, c in enumerate(v)][::-1]}) for k, v in PAIRS}, "img/{}.png"
    ),
    "JSON of Label Studio: boxes, and the letter of each": as_json(
        [{"data": {"ocr": f"/data/upload/1/{k}.png"}, "annotations": [{"result": [
            {"id": HASHES[n], "type": kind, "value": {"x": 5.5 + 20 * n, "y": 3} | text} for n, c in enumerate(v)
            for kind, text in (("rectangle", {}), ("textarea", {"text": [c]}))][::-1]}]} for k, v in PAIRS], "p.json"
    ),
    "CSV of Label Studio: a box a letter": beside(
        lambda text: {"p.csv": "image,id,label\n" + text(lambda k: f"{k}.png,{k + 7},\"" + json.dumps(
            [{"x": 5.5 + 20 * n, "rectanglelabels": [c]} for n, c in enumerate(LABELS[k])][::-1]
        ).replace('"', '""') + '"\n')}
    ),
    "JSON lines of Doccano, whose text is the name": beside(
        {"all.jsonl": lines_of([{"id": k + 1, "filename": f"{k}.png", "text": f"{k}.png", "label": [v]}
                                for k, v in PAIRS])}
    ),
    "JSON with a name and an address of each picture": as_json(
        [{"id": HASHES[k], "externalId": f"{k}.png", "content": f"https://x.y/{k}.png", "labels": [
            {"jsonResponse": {"JOB": {"text": v}}}]} for k, v in PAIRS], "data.json"
    ),
    "XML of dlib: a box a letter": beside(
        {"labels.xml": "<dataset><name>x</name><comment>y</comment><images>" + "".join(
            f"<image file='{k}.png'>" + "".join(
                f"<box top='3' left='{20 * n}' width='9' height='9'><label>{c}</label></box>"
                for n, c in reversed([*enumerate(v)])) + "</image>" for k, v in PAIRS) + "</images></dataset>"}
    ),
    "a `.txt` a picture: `1.png,BONE`": beside({f"{k}.txt": f"{k}.png,{label}\n" for k, label in PAIRS}),
    "a `.txt` a picture: `'BONE'`": beside({f"{k}.txt": f"'{label}'\r\n" for k, label in PAIRS}),
    "YOLO: a box a letter, and `names: {0: 'A'}` in `data.yaml`": beside(
        {f"labels/{k}.txt": yolo(v) for k, v in PAIRS}
        | {"data.yaml": "nc: 9\nnames: {" + ", ".join(f"{k}: '{c}'" for k, c in enumerate(CLASSES)) + "}\n"},
        "images/{}.png",
    ),
    "`labels.txt` with `1.png - BONE`": table("", "{k}.png - {label}", name="labels.txt"),
    "`labels.csv` with `[B, O, N, E]`": table(
        "file,label", '{k}.png,"[{label[0]}, {label[1]}, {label[2]}, {label[3]}]"'
    ),
    "`labels.csv` with `['B' 'O' 'N' 'E']`, as numpy writes it": table(
        "file,label", "{k}.png,['{label[0]}' '{label[1]}' '{label[2]}' '{label[3]}']"
    ),
    "a CSV with a column a class: `label_A`, True or False": beside(
        {"labels.csv": f"file,{','.join(f'label_{c}' for c in CLASSES)}\n" + "".join(
            f"{k}.png,{','.join(str(c == v[0]) for c in CLASSES)}\n" for k, v in PAIRS)},
        labels=[v[0] for v in LABELS],
    ),
    "`train/labels.csv` for `train/images/1.png`, `test/labels.csv` for …": (
        {f"{part}/images/{k}.png": b"" for part, k in PLACES}
        | {f"{part}/labels.csv": "\n".join(
            f"{k}.png,{LABELS[k + N // 2 * (part == 'valid')]}" for k in range(N // 2)).encode()
            for part in ("train", "valid")},
        {f"{part}/images/{k}.png": LABELS[k + N // 2 * (part == "valid")] for part, k in PLACES},
    ),
    "`BONE_clean.png`, `BONE_noisy.png`": (
        {f"{v}_{word}.png": b"" for v in LABELS for word in ("clean", "noisy")},
        {f"{v}_{word}.png": v for v in LABELS for word in ("clean", "noisy")},
    ),
}  # fmt: skip


def put(folder: Path, files: Files) -> Path:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def read(folder: Path, pattern: str | None = None, **options) -> Listing:
    labelling = find_labels(folder, None, pattern, LabelOptions(**options))
    return Listing(ImportRequest(folder, "mine", labelling))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_layout_is_recognised(tmp_path, layout):
    files, want = LAYOUTS[layout]
    found = read(put(tmp_path, files))
    assert dict(found.pairs) == want
    assert found.rejects == []


BESIDE = {  # masks and thumbnails, and what they are of
    "masks/{}.png": "images/{}.png",
    "train/label/{}.png": "train/image/{}.png",
    "train_masks/{}_mask.gif": "train/{}.jpg",
    "SegmentationClass/{}.png": "JPEGImages/{}.jpg",
    "{}_mask.png": "{}.png",
    "mask_{}.png": "img_{}.png",
    "thumbs/{}.png": "{}.png",
}


@pytest.mark.parametrize("companion", BESIDE)
def test_masks_and_thumbnails_are_left_out_and_told(tmp_path, companion):
    """Whether names hold the labels or a file, which names them without a folder."""
    want = {BESIDE[companion].format(label): label for label in LABELS[:6]}
    put(tmp_path, dict.fromkeys([*want, *(companion.format(label) for label in want.values())], b""))
    found = read(tmp_path)
    assert dict(found.pairs) == want
    assert [path for path, _ in found.rejects] == sorted(companion.format(label) for label in want.values())
    assert all(reason.partition(" thumbnail of ")[2].partition(":")[0] in want for _, reason in found.rejects)
    put(tmp_path, {"labels.csv": "".join(f"{path.split('/')[-1]},{v}\n" for path, v in want.items()).encode()})
    assert dict(read(tmp_path).pairs) == want
    assert "6 pictures left out: the name says that it is a mask or a thumbnail of another" in (
        notes_of(found.wanted, found.mended, found.pairs)
    )


@pytest.mark.parametrize(
    ("label", "task", "is_so"),
    [("7", "12-5=?", True), ("17", "12 + 5 =", True), ("60", "12x5", True), ("3", "12\u00f74", True),
     ("8", "12-5", False), ("7", "12-", False), ("-3", "2\u22125", True), ("ABCD", "1+1", False), ("3", "3", False)],
)  # fmt: skip
def test_results_of_sums_are_told(label, task, is_so):
    assert is_result(label, task) is is_so


def test_a_word_that_is_mask_is_no_mask(tmp_path):
    """A folder a word, and a picture of two words."""
    files = {f"{word}/{k}.png": b"" for word in ("bone", "duck", "lamp", "mask") for k in range(6)}
    assert dict(read(put(tmp_path / "a", files), "folder").pairs) == {path: path.split("/")[0] for path in files}
    files = {f"{k:03d}_{word}.png": b"" for k, word in enumerate(["mask", "label", *LABELS])}
    assert dict(read(put(tmp_path / "b", files)).pairs) == {path: path[4:-4] for path in files}


def test_rows_that_are_turned_without_a_suffix_are_refused(tmp_path):
    rows = [(f"c{k:03d}", label)[:: -1 if k > 11 else 1] for k, label in PAIRS]
    put(tmp_path, beside({"labels.csv": "id,label\n" + "\n".join(map(",".join, rows))}, "c{:03d}.png")[0])
    with pytest.raises(BadInput, match=r"labels.csv, line 14: '....' is no picture and 'c012' is one, as in 12 such"):
        read(tmp_path)


def test_turned_rows_are_told(tmp_path):
    put(tmp_path, LAYOUTS["`labels.csv` with path and label turned in some rows"][0])
    found = read(tmp_path)
    assert notes_of(found.wanted, found.mended, found.pairs) == [
        "12 rows had path and label in each other's column, and are put right"
    ]


def test_the_documentation_lists_these_layouts():
    text = (Path(__file__).parents[3] / "docs" / "import.md").read_text()
    part = text.partition("## Layouts")[2].partition("\n## ")[0]
    rows = [
        re.split(r"(?<!\\)\|", line)[1].strip().replace("\\|", "|")
        for line in part.splitlines()
        if line.startswith("|")
    ]
    assert rows[2:] == list(LAYOUTS)


def words(count: int = N) -> list[str]:
    return [hashlib.sha256(str(k).encode()).hexdigest()[:count].translate(str.maketrans("0123456789", "ghijklmnop"))
            for k in range(N)]  # fmt: skip


ASKED: dict[str, tuple[Files, list[str]]] = {
    "sums and their results": (
        table("file,question,answer", labels=[f"{20 + k}-{k % 7}=?,{20 + k - k % 7}" for k in range(N)])[0],
        ["may hold the labels", "--columns file,question reads '20-0=?'", "--columns file,answer reads '20'"],
    ),
    "a detector's boxes": (
        beside({
            "classes.txt": "\n".join(CLASSES),
            **{f"{k}.txt": "".join(f"{line} 0.97\n" for line in yolo(v).split("\n")) for k, v in PAIRS},
        })[0],
        ["boxes with a confidence each", "a detector's answers", "take the sixth numbers away"],
    ),
    "both parts vary": (
        named(lambda k, label: f"{label}_{words(6)[k]}.png")[0],
        ["may be the label", "--pattern '{label}_*' reads", "--pattern '*_{label}' reads", "reads '"],
    ),
    "digits and digits": (
        named(lambda k, label: f"{label}_{DIGITS[-1 - k]}.png", DIGITS)[0],
        ["may be the label", "{label}_*", "*_{label}"],
    ),
    "a kind and a label": (
        named(lambda k, label: f"{['easy', 'hard'][k % 2]}_{label}_{k}.png")[0], ["may be the label", "*_{label}_*"]
    ),
    "counters": (named(lambda k, label: f"{k}.png")[0], ["a counter", "--labels FILE", "--pattern whole, first, last"]),
    "a camera's names": (named(lambda k, label: f"IMG_{1000 + k}.JPG")[0], ["part 2 is a counter"]),
    "one name and numbers in brackets": (named(lambda k, label: f"captcha ({k + 1}).png")[0], ["always the same"]),
    "hashes": (named(lambda k, label: f"{HASHES[k]}.png")[0], ["a hash or random name"]),
    "screenshots": (
        named(lambda k, label: f"Screenshot 2024-01-05 at 10.{k:02d}.{59 - k}.png")[0], ["a date or time"]
    ),
    "counters in folders of kinds": (
        {f"{kind}/{k}.png": b"" for kind in ("easy", "hard") for k in range(N)}, ["a counter"]
    ),
    "two files of labels that differ": (
        table("path,label")[0] | {"gt.txt": "".join(f"{k}.png\t{LABELS[-1 - k]}\n" for k in range(N)).encode()},
        ["has both", "labels.csv", "gt.txt", "choose one with --labels"],
    ),
    "a file of labels and texts beside": (
        table("path,label")[0] | {f"{k}.txt": LABELS[k].encode() for k in range(N)},
        ["both a .txt beside each", "labels.csv"],
    ),
    "two columns of labels": (
        table("filename,label,text", "{k}.png,{hash:.1},{label}")[0],
        ["several columns may hold the labels", "--columns filename,label reads",
         f"--columns filename,text reads '{LABELS[0]}'"],
    ),
    "unknown columns": (
        table("bild,wer,loesung", "{k}.png,{hash:.1},{label}")[0], ["--columns bild,wer", "--columns bild,loesung"]
    ),
    "three columns without names": (table("", "{k}.png,{hash:.1},{label}")[0], ["--columns 1,2", "--columns 1,3"]),
    "labels of other pictures": (
        named(lambda k, label: f"{label}.png")[0] | {"labels.csv": b"path,label\nother.png,ABCD\n"},
        ["names none of the 24 pictures", "--columns", "--pattern"],
    ),
    "a table of something else, with as many rows": (
        with_file("speeds.csv", "when,much\n" + "".join(f"{k}h,{k % 7}\n" for k in range(N)))[0],
        ["speeds.csv", "no column names pictures", "--pattern"],
    ),
    "labels in order, without names": (
        named(lambda k, label: f"{k}.png")[0] | {"labels.txt": "\n".join(LABELS).encode()},
        ["must be a path and a label"],
    ),
    "numbers of words in a dictionary": (
        table("", "{k}.png {k}", name="annotation.txt")[0], ["hold a counter", "--columns"]
    ),
    "a spreadsheet": (
        named(lambda k, label: f"{label}.png")[0] | {"labels.xlsx": b"PK"},
        ["labels.xlsx", "save it as CSV", "--pattern"],
    ),
    "boxes of YOLO": (
        named(lambda k, label: f"{k}.png")[0]
        | {f"{k}.txt": b"3 0.5 0.5 0.25 0.9\n1 0.7 0.5 0.2 0.9" for k in range(N)},
        ["hold boxes", "--labels FILE"],
    ),
    "annotations without a text": (
        named(lambda k, label: f"{label}.png")[0] | {f"{label}.xml": b"<a/>" for label in LABELS},
        ["the .xml files beside the pictures", "hold no text", "--pattern"],
    ),
    "annotations of a class": (
        named(lambda k, label: f"{k}.png")[0] | {f"{k}.xml": voc("captcha").encode() for k in range(N)},
        ["the .xml files beside the pictures", "say only 'captcha'", "labels.csv", "--pattern"],
    ),
    "regions of a class": (
        as_json({key: row | {"regions": [{"region_attributes": {"a": "captcha"}}]} for key, row in via().items()})[0],
        ["labels.json: its annotations say only 'captcha'"],
    ),
    "several fields of annotations": (
        beside({f"{k}.json": json.dumps({"wer": HASHES[k][:2], "wort": label}) for k, label in enumerate(LABELS)})[0],
        ["several columns may hold the labels", "--columns path,wer reads", "--columns path,wort reads"],
    ),
    "some annotations only": (
        named(lambda k, label: f"{k}.png")[0] | {"3.xml": voc("BONE").encode()}, ["1 of 24 pictures have a .xml"]
    ),
    "a damaged annotation": (
        named(lambda k, label: f"{k}.png")[0]
        | {f"{k}.xml": voc(label).encode()[: 200 if k == 5 else None] for k, label in enumerate(LABELS)},
        ["5.xml: cannot be read as XML"],
    ),
    "XML of something else": (
        with_file("labels.xml", "<a><b c='1'/></a>")[0], ["labels.xml", "--pattern"]
    ),
    "some texts only": (named(lambda k, label: f"{k}.png")[0] | {"3.txt": b"BONE"}, ["1 of 24 pictures have a .txt"]),
    "a zip file": ({"captchas.zip": b"PK"}, ["no picture file", "captchas.zip", "unpack it first"]),
    "numbers that lost zeros": (
        table("path,label", labels=[str(int(label)) for label in DIGITS])[0],
        ["shorter numbers", "--zeros fill", "--zeros keep", "among"],
    ),
    "columns of IAM": (
        table("# words\n#", "a01-{k:03d}u-00 ok 154 40{k} 7{k}8 AT {label}", name="words.txt",
              picture="a01-{:03d}u-00.png")[0],
        ["words.txt: several columns may hold the labels", "--columns 1,7 reads"],
    ),
    "a letter a column": (
        table("filename,c1,c2,c3,c4", "{k}.png,{label[0]},{label[1]},{label[2]},{label[3]}")[0],
        [f"--columns filename,c1+c2+c3+c4 reads '{LABELS[0]}' in 0.png"],
    ),
    "labels with their confidence": (
        beside({f"{k}.txt": f"{label} 0.9{k}" for k, label in PAIRS})[0],
        ["hold more than the label", f"'{LABELS[0]} 0.90'"],
    ),
    "labels with a hash in a second line": (
        beside({f"{k}.txt": f"{label}\n{HASHES[k]}\n" for k, label in PAIRS})[0], ["hold more than the label"]
    ),
    "labels in base64": (
        named(lambda k, label: f"{base64.urlsafe_b64encode(label.encode()).decode()}.png")[0],
        ["hold labels in base64", "==' is '", "labels.csv", "--pattern 'whole'"],
    ),
    "a packed file of labels": (
        named(lambda k, label: f"{label}.png")[0] | {"labels.csv.gz": b"\x1f\x8b"},
        ["labels.csv.gz: may hold labels", "unpack it first", "--pattern"],
    ),
    "a letter, a split and a number": (
        named(lambda k, label: f"{'ABCDEF'[k % 6]}_{k % 2}_{k // 6}.png")[0], ["several parts", "{label}_*_*"]
    ),
    "boxes whose classes are no letters": (
        beside({"classes.txt": "captcha\nlogo"} | {f"{k}.txt": "0 0.5 0.5 0.9 0.9" for k in range(N)})[0],
        ["hold boxes", "which letter each class is"],
    ),
    "a key twice": (
        named(lambda k, label: f"{k}.png")[0] | {"labels.json": b'{"1.png": "A", "1.png": "B"}'},
        ["'1.png' occurs twice"],
    ),
    "a word before all labels": (
        named(lambda k, label: f"img{label}.png", DIGITS)[0],
        ["--pattern 'img{label}' reads '", "--pattern 'whole' reads 'img"],
    ),
    "numbers from 1 for pictures from 0": (
        beside({"labels.csv": "id,label\n" + "".join(f"{k + 1},{label}\n" for k, label in PAIRS)})[0],
        ["go from 1 to 24", "from 0 to 23", "one counted from 0"],
    ),
    "names from 0 for pictures from 1": (
        {name: data for name, data in {**table("path,label")[0], "24.png": b""}.items() if name != "0.png"},
        ["go from 0 to 23", "from 1 to 24"],
    ),
    "a word before each text": (
        beside({f"{k}.txt": f"label: {label}" for k, label in PAIRS})[0], ["all begin with 'label: '"]
    ),
    "answers of a reader": (
        table("path,word,confidence,reading,status", "{k}.png,{label},0.9,{label},solved", name="answers.csv")[0],
        ["holds a reader's answers", "answers.csv --columns path,word"],
    ),
    "two columns, one corrected": (
        table("file,label,corrected", "{k}.png,{label},{label}")[0] | {"labels.csv": (
            "file,label,corrected\n" + "".join(f"{k}.png,{v},{v if k else 'AB'}\n" for k, v in PAIRS)).encode()},
        ["--columns file,label reads", "--columns file,corrected reads 'AB' in 0.png"],
    ),
    "a file of other words than the names'": (
        with_file("a.csv", "".join(["file,thing\n", *(f"{v}.png,{v[::-1]}x\n" for v in LABELS)]))[0],
        [f"a.csv says '{LABELS[0][::-1]}x' of ", f"whose name may say '{LABELS[0]}'", "--labels", "--pattern 'whole'"],
    ),
    "guesses of a reader": (
        with_file("predictions.csv", "file,label\n" + "".join(f"{v}.png,{v}\n" for v in LABELS))[0],
        ["predictions.csv: holds a reader's answers", "--labels", "--pattern"],
    ),
    "a column of guesses": (
        table("file,prediction,confidence", "{k}.png,{label},0.9{k}")[0], ["a reader's answers", "file,prediction"]
    ),
    "numbered pictures and their hashes": (
        table("file,md5", "{k}.png,{hash}", name="md5.csv")[0],
        ["they are a counter", "tells hashes of the pictures", "--columns file,md5"],
    ),
    "rows that nobody has labelled": (
        table("file,label", labels=[v if k % 3 else "TODO" for k, v in PAIRS])[0],
        ["8 of 24 are 'TODO'", "take these rows away", "--columns"],
    ),
    "numbers of classes": (
        beside(lambda text: {"train.txt": text(lambda k: f"{k}.png {k} {k % 7} {k % 5}\n")})[0],
        ["lists of numbers such as '0 0 0'"],
    ),
    "UTF-8 read as another encoding": (
        table("file,label", labels=[f"{v}\u00c3\u00a4" for v in LABELS])[0], ["is '", "\u00e4'", "wrong encoding"]
    ),
    "a list of classes": (
        table("", "{k} {label}", name="labels.txt", labels=list("ABCDEFGHIJKLMNOPQRSTUVWX"))[0],
        ["a list of classes (A, B, C, \u2026)", "--columns"],
    ),
    "folders of classes by number": (
        {f"{k % 10}/{k}.png": b"" for k in range(N)} | {"classes.txt": b"\n".join(b"%c" % k for k in range(65, 77))},
        ["the folders are numbers", "classes.txt may say which letter", "--pattern folder"],
    ),
    "folders of some digits": (
        {f"{k % 4 + 4}/{k}.png": b"" for k in range(N)}, ["--pattern 'folder' reads '4'", "--pattern 'whole'"]
    ),
    "folders of codes, as of NIST": (
        {f"{k % 26 + 65:02x}/{k}.png": b"" for k in range(52)},
        ["codes of characters: '41' is 'A'", "--pattern 'folder'"]
    ),
    "folders with a mark for small letters": (
        {f"{'ABCDabcd'[k % 8]}{'_' * (k % 8 > 3)}/{k}.png": b"" for k in range(N)},
        ["reads 'A'", "--pattern 'folder' reads", "'b_'"],
    ),
    "folders with the case before the letter": (
        {f"{'uuuullll'[k % 8]}{'ABCDabcd'[k % 8]}/{k}.png": b"" for k in range(N)}, ["(?P<label>[^/])/[^/]*' reads 'a'"]
    ),
    "sums with their results": (
        {f"{k}+3={k + 3}.png": b"" for k in range(10, 10 + N)},
        ["--pattern '{label}=*' reads '10+3'", "[^/]*' reads '10+3='", "--pattern 'whole' reads '10+3=13'"],
    ),
    "names that are marked as wrong": (
        named(lambda k, label: f"{['correct', 'wrong'][k % 3 == 0]}_{label}.png")[0],
        ["8 of 24 seem to be marked as wrong or without a label, such as wrong_", "--pattern '*_{label}'"],
    ),
    "folders that are marked as wrong": (
        named(lambda k, label: f"{['good', 'bad'][k % 3 == 0]}/{label}.png")[0],
        ["8 of 24 seem to be marked as wrong or without a label, such as bad/", "--pattern 'whole'"],
    ),
    "letters above each other": (
        beside({f"{k}.xml": voc(label, True).replace(">49<", ">9<").replace(">69<", ">29<") for k, label in PAIRS})[0],
        ["the .xml files beside the pictures", "or several in a picture"],
    ),
    "pixels in a table": (
        beside({"train.csv": "label,pixel0,pixel1\n" + "".join(f"{k % 7},{k},0\n" for k in range(N))})[0],
        ["train.csv: holds the pixels of pictures"],
    ),
    "names that stand for no label": (
        {f"{label if k % 4 else 'unknown'}_{k}.png": b"" for k, label in PAIRS},
        ["6 of 24 seem", "such as unknown_0.png", "--pattern '{label}_*'"],
    ),
    "names that many pictures share": (
        {f"{label if k % 4 else 'xxxx'}_{k}.png": b"" for k, label in PAIRS},
        ["6 of 24 seem to stand for no label, such as xxxx_0.png", "--pattern '{label}_*'"],
    ),
    "hashes among labels": (
        {f"{label if k % 4 else HASHES[k][:9]}.png": b"" for k, label in PAIRS},
        ["6 of 24 seem to have no label yet, such as ", "--pattern 'whole'"],
    ),
    "a counter among labels": (
        {f"{f'done/{label}' if k % 3 else f'todo/{k // 3}'}.png": b"" for k, label in PAIRS},
        ["8 of 24 seem to have no label yet, such as todo/0.png"],
    ),
    "numbers of classes behind a counter": (
        {f"{k:04d}_{k * 7 % 12}.png": b"" for k in range(N)}, ["'*_{label}' reads '0'", "--pattern 'whole'"]
    ),
    "lengths behind a counter": (
        {f"captcha_{k:04d}_{4 + k % 3}.png": b"" for k in range(N)}, ["'*_*_{label}' reads '4'", "--pattern 'whole'"]
    ),
    "folders of the first digits of hashes": (
        {f"{text[:2]}/{text[2:4]}/{text}.png": b"" for text in HASHES}, ["a hash or random name"]
    ),
    "a file that repeats the names": (
        {f"{v}_{k}.png": b"" for k, v in PAIRS}
        | {"labels.csv": ("file,label\n" + "".join(f"{v}_{k}.png,{v}_{k}\n" for k, v in PAIRS)).encode()},
        ["labels.csv: repeats the names", "--pattern '{label}_*'", "--pattern whole"],
    ),
    "new names in place of labels": (
        table("old,new", "{k}.png,{label}.png")[0], [f"all are names of files, such as '{LABELS[0]}.png'"]
    ),
    "numbered lines": (beside({f"{k}.txt": f"{k}) {label}" for k, label in PAIRS})[0], ["all begin with a number"]),
    "a list of wrong pictures": (
        with_file("wrong.txt", "".join(f"{label}.png\n" for label in LABELS[:9]))[0],
        ["wrong.txt seems to list pictures that are wrong", "--labels or --pattern"],
    ),
    "labels in another kind of text": (
        named(lambda k, label: f"{label}.png")[0] | {"labels.md": b"| 1.png | ABCD |"},
        ["labels.md: may hold labels", "labels.csv", "--pattern"],
    ),
    "corrections of a few names": (
        with_file("corrections.csv", "file,label\n" + "".join(f"{v}.png,AB{k}\n" for k, v in PAIRS[:3]))[0],
        ["corrections.csv labels 3 of 24 pictures", "the names of the others seem to hold labels",
         "takes those 3 only", "--pattern 'whole'"],
    ),
    "Label Studio's predictions, which nobody has looked at": (
        as_json([{"id": k, "data": {"image": f"{k}.png"}, "annotations": [], "predictions": [
            {"model_version": "x", "result": [{"value": {"text": [v]}}]}]} for k, v in PAIRS], "p.json")[0],
        ["p.json: holds a reader's answers", "predictions.0.result.0.value.text.0"],
    ),
    "states that are 0 or 1": (
        beside({"labels.csv": "file,text,status\n" + "".join(
            f"{k}.png,{v},{int(k % 5 == 0)}\n" for k, v in PAIRS)})[0],
        ["its column status is 0 or 1", "call it correct", "--pattern"],
    ),
    "COCO whose numbers are by chance those of pictures": (
        as_json({"images": [{"id": k, "file_name": f"{HASHES[k]}.png"} for k in range(N)],
                 "annotations": [{"id": k, "image_id": k, "caption": v} for k, v in PAIRS]})[0],
        ["labels.json: ", "--columns"],
    ),
    "a table of labels in base64": (
        beside({"labels.csv": "file,label\n" + "".join(
            f"{k}.png,{base64.b64encode(v.encode()).decode()}\n" for k, v in PAIRS)})[0],
        ["hold labels in base64", f"==' is '{LABELS[0]}'", "--columns"],
    ),
    "rows of two annotators in JSON": (
        as_json([{"image": f"{k}.png", "text": v[: 4 - who], "annotator": who} for k, v in PAIRS for who in (0, 1)],
                "p.json")[0],
        ["p.json, entries 1 and 2: both label '0.png'", "--pattern"],
    ),
    "folders of failures": (
        named(lambda k, label: f"{['success', 'fail'][k % 3 == 0]}/{label}.png")[0],
        ["8 of 24 seem to be marked as wrong", "such as fail/", "--pattern 'whole'"],
    ),
    "mostly failures": (
        named(lambda k, label: f"{label}_{['false', 'true'][k % 4 == 0]}.png")[0],
        ["18 of 24 seem to be marked as wrong", "_false.png", "--pattern '{label}_*'"],
    ),
    "copies of one name by wget": (
        named(lambda k, label: f"captcha.png{f'.{k}' * (k > 0)}")[0], ["they are always the same", "captcha.png"]
    ),
    "numbered pictures beside a database": (
        beside({"captchas.sqlite": b"SQLite format 3\0"})[0],
        ["captchas.sqlite may hold them, and cannot be read", "labels.csv"],
    ),
    "numbered pictures beside hOCR": (
        beside({f"{k}.hocr": f"<html>{v}</html>" for k, v in PAIRS})[0], ["0.hocr may hold them", "labels.csv"]
    ),
    "numbered pictures beside a log of another form": (
        beside({"solver.log": "".join(f"12:00 {k}.png solved as {v}\n" for k, v in PAIRS)})[0], ["solver.log: may hold"]
    ),
    "numbered pictures beside broken JSON": (
        beside({"words.json": '{"0.png": "ABCD"'})[0], ["a counter", "words.json, line 1: cannot be read as JSON"]
    ),
    "YAML that names pictures": (
        with_file("answers.yml", f"{LABELS[0]}.png: ABCD\n")[0], ["answers.yml: may hold labels", "labels.csv"]
    ),
    "a pickle, which nothing loads": (
        beside({"words.pickle": b"cos\nsystem\n(S'false'\ntR."})[0], ["words.pickle: may hold labels", "labels.csv"]
    ),
    "what Tesseract read": (
        beside({f"{k}.tsv": f"level\tpage_num\tleft\tconf\ttext\n5\t1\t4\t91\t{v}\n" for k, v in PAIRS})[0],
        ["0.tsv: holds what Tesseract read in one picture"],
    ),
    "parts of TensorFlow's records": (
        {f"train.tfrecord-0000{k}-of-00002": b"x" for k in (0, 1)}, ["no picture file", "write its pictures into files"]
    ),
    "another program's HDF5": ({"train.hdf5": b"\x89HDF"}, ["no picture file", "write its pictures into files"]),
    "pickled pictures": ({"README.md": b"x", "train.pickle": b"x"}, ["but train.pickle", "write its pictures"]),
    "labels that say the same twice": (
        table("file,answers", '{k}.png,"{label};{label}"')[0],
        ["hold more than the label: all say the same twice", f"'{LABELS[0]};{LABELS[0]}'"],
    ),
    "numbers of classes in a table": (
        table("filename,label", labels=[str(CLASSES.index(v[0])) for v in LABELS])[0],
        ["labels.csv: are numbers from ", "as of classes", "--columns", "--zeros fill"],
    ),
    "numbers of classes beside their names": (
        beside({"labels.csv": "file,label,label_name\n" + "".join(
            f"{k}.png,{CLASSES.index(v[0])},{v[0]}\n" for k, v in PAIRS)})[0],
        ["several columns may hold the labels", f"file,label_name reads '{LABELS[0][0]}'"],
    ),
    "one number of all": (
        table("", "default/{k}.png 0", name="default.txt", picture="default/{}.png")[0],
        ["default.txt: say '0' of all 24 pictures, as of a class", "--columns"],
    ),
    "sets of Python": (
        table("file,label", "{k}.png,\"{{'{label[0]}', '{label[1]}'}}\"")[0], ["are sets of Python", "keep no order"]
    ),
    "the letters of a picture, without their order": (
        beside({"labels.csv": f"file,{','.join(CLASSES)}\n" + "".join(
            f"{k}.png,{','.join(str(int(c in v)) for c in CLASSES)}\n" for k, v in PAIRS)})[0],
        ["which letters a picture shows, and not in which order", "labels.csv"],
    ),
    "a counter right behind the labels": (
        named(lambda k, label: f"{label}{k}.png")[0],
        ["--pattern '(?P<label>[^/]{4})[0-9]+' reads '", "--pattern 'whole' reads '"],
    ),
    "a counter right behind labels of any length": (
        {f"{v[: 2 + k % 3]}{k:03d}.png": b"" for k, v in PAIRS},
        ["all seem to end with a counter right behind the label", "labels.csv", "--pattern 'whole'"],
    ),
    "letter by letter, with a number": (
        {f"{'_'.join(v[: 3 + k % 2])}_{k:03d}.png": b"" for k, v in PAIRS},
        ["they have differing numbers of parts", "--labels FILE"],
    ),
    "answers of a service beside each picture": (
        beside({f"{k}.json": json.dumps({"responses": [{"fullTextAnnotation": {"text": v}}]}) for k, v in PAIRS})[0],
        ["the .json files beside the pictures hold a reader's answers", "path,responses.0.fullTextAnnotation.text"],
    ),
    "answers and the numbers of pandas' rows": (
        beside({"labels.csv": ",file,prediction\n" + "".join(f"{k * k * 7},{k}.png,{v}\n" for k, v in PAIRS)})[0],
        ["holds a reader's answers", "--columns file,prediction"],
    ),
    "boxes of classes that two files name differently": (
        beside({f"{k}.txt": yolo(v) for k, v in PAIRS}
               | {"classes.txt": "\n".join(CLASSES[::-1]), "data.yaml": f"names: {CLASSES}"})[0],
        ["classes.txt and data.yaml name the classes differently", f"' or '{LABELS[0]}'", "take the wrong one away"],
    ),
    "labels with a share in brackets": (
        table("file,label", "{k}.png,{label}(0.9{k})")[0], ["all end with a share", f"'{LABELS[0]}(0.90)'"]
    ),
    "JSON in the text beside each picture": (
        beside({f"{k}.txt": json.dumps({"text": v, "font": "x"}) for k, v in PAIRS})[0],
        ["all begin with '{\"text\": \"' and end with '\", \"font\": \"x\"}'", "write only the label"],
    ),
    "labels within tags": (
        table("file,label", "{k}.png,<b>{label}</b>")[0], ["all begin with '<b>' and end with '</b>'", "--columns"]
    ),
    "results of PaddleOCR": (table("", "{k}.png\t{label}", name="system_results.txt")[0], ["holds a reader's answers"]),
    "a name of two drawings": (
        {f"{kind}/{k}.png": b"" for kind in ("clean", "noisy") for k in range(N)}
        | {"labels.csv": "".join(f"{k}.png,{v}\n" for k, v in PAIRS).encode()},
        ["labels.csv: 0.png may be clean/0.png or noisy/0.png", "write the folder before each name"],
    ),
    "a literal with a key twice": (
        beside({"labels.txt": "{'1.png': 'ABCD', '1.png': 'EFGH'}"})[0], ["'1.png' occurs twice"]
    ),
    "numbers of classes, in no order of their letters": (
        table("", "{k} {label}", name="labels.txt", labels=list("0123456789abcdefghijklmnAB"[:N]))[0],
        ["a list of classes (0, 1, 2, \u2026)"],
    ),
    "numbers of classes beside a list of names": (
        beside({"labels.csv": "".join(f"{k}.png,{k % 9}\n" for k in range(N)), "classes.txt": "\n".join(CLASSES)})[0],
        ["are numbers, and classes.txt may say which letter each is, such as '", "--columns"],
    ),
    "XML that says nothing": (
        beside({"labels.xml": "<dict>" + "".join(f"<key>{k}.png</key><string>{v}</string>" for k, v in PAIRS)
                + "</dict>"})[0],
        ["labels.xml: its elements say nothing of pictures", "labels.csv", "--pattern"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", ASKED)
def test_what_is_not_clear_is_asked(tmp_path, case):
    files, said = ASKED[case]
    with pytest.raises(BadInput) as error:
        read(put(tmp_path, files))
    for text in said:
        assert text in str(error.value)


def test_a_name_of_two_pictures_is_given_to_neither(tmp_path):
    put(tmp_path, {"x/1.png": b"", "y/1.png": b"", "x/2.png": b"", "labels.csv": b"path,label\n1.png,AB\n2.png,CD\n"})
    found = read(tmp_path)
    assert found.pairs == [("x/2.png", "CD")]
    reason = dict(found.rejects)["1.png"]
    assert reason == "labels.csv labels it, which may be x/1.png or y/1.png; write the folder before the name"


@pytest.mark.parametrize(
    ("pattern", "label"),
    [("first", "AB"), ("last", "x9"), ("whole", "AB_x9"), ("folder", "d"), ("{label}_*", "AB"), ("*_{label}", "x9")],
)
def test_a_word_or_a_pattern_settles_it(tmp_path, pattern, label):
    put(tmp_path, {"d/AB_x9.png": b"", "d/AB_x9 (1).png": b""})
    assert read(tmp_path, pattern).pairs == [("d/AB_x9 (1).png", label), ("d/AB_x9.png", label)]


@pytest.mark.parametrize("columns", [("bild", "loesung"), ("Bild", "LOESUNG"), ("1", "3")])
def test_columns_settle_it(tmp_path, columns):
    files, want = table("bild,wer,loesung", "{k}.png,{hash:.1},{label}")
    assert dict(read(put(tmp_path, files), columns=columns).pairs) == want


def test_columns_choose_a_field_of_annotations(tmp_path):
    files, want = beside({f"{k}.json": json.dumps({"wer": HASHES[k][:2], "wort": v}) for k, v in enumerate(LABELS)})
    assert dict(read(put(tmp_path, files), columns=("path", "wort")).pairs) == want


@pytest.mark.parametrize("columns", [("bild", "word"), ("1", "4"), ("0", "1")])
def test_columns_that_are_not_there_are_named(tmp_path, columns):
    put(tmp_path, table("bild,wer,loesung", "{k}.png,{hash:.1},{label}")[0])
    with pytest.raises(BadInput, match=r"columns '(word|4|0)'.*has no such columns; it has 'bild', 'wer', 'loesung'"):
        read(tmp_path, columns=columns)


def test_columns_need_a_file_of_labels(tmp_path):
    put(tmp_path, named(lambda k, label: f"{label}.png")[0])
    with pytest.raises(BadInput, match="columns: are those of a file of labels"):
        read(tmp_path, columns=("a", "b"))
    with pytest.raises(BadInput, match="columns and pattern"):
        read(tmp_path, "whole", columns=("a", "b"))


def test_zeros_that_a_spreadsheet_took_come_back_or_stay_away(tmp_path):
    files, want = table("path,label", labels=[str(int(label)) for label in DIGITS])
    short = [label for label in want.values() if len(label) < 4]
    assert 0 < len(short) < N // 3
    put(tmp_path, files)
    found = read(tmp_path, zeros=Zeros.FILL)
    assert dict(found.pairs) == {path: label.zfill(4) for path, label in want.items()}
    assert found.mended["zeros"] == len(short)
    assert dict(read(tmp_path, zeros=Zeros.KEEP).pairs) == want


def test_labels_of_differing_lengths_lost_no_zeros(tmp_path):
    """Answers of sums, words of any length, and numbers that kept their zeros."""
    for number, labels in enumerate(
        ([str(k % 19) for k in range(N)], [f"{k:03d}A"[: 2 + k % 3] for k in range(N)], DIGITS)
    ):
        files, want = table("path,label", labels=labels)
        (tmp_path / str(number)).mkdir()
        assert dict(read(put(tmp_path / str(number), files), columns=("path", "label")).pairs) == want


def test_numbers_among_many_other_short_labels_lost_no_zeros():
    """Of the short labels most are no numbers: their lengths differ for another reason."""
    four = [f"{k:04d}" for k in range(1000, 1075)]
    words_of_three = [f"AB{k % 10}" for k in range(20)]
    assert shorter_numbers([*four, *words_of_three, *"56789"]) == []
    assert shorter_numbers([*four, *"56789"]) == [*"56789"]


def test_a_listed_name_means_the_picture_that_shares_its_folders():
    index = PictureIndex(["a/x/1.png", "b/y/1.png", "b/z/1.png"])
    assert index.find(Match.NAME, "home/me/y/1.png") == ["b/y/1.png"]
    assert index.find(Match.NAME, "1.png") == ["a/x/1.png", "b/y/1.png", "b/z/1.png"]


def test_a_list_of_few_pictures_among_others_is_no_file_of_labels(tmp_path):
    files, want = named(lambda k, label: f"{label}.png")
    todo = "".join(f"{name} again\n" for name in (f"{LABELS[0]}.png", *(f"other-{k}.png" for k in range(9))))
    found = dict(read(put(tmp_path, files | {"todo.txt": todo.encode()})).pairs)
    assert found == want | {"todo.txt": "todo"}  # no picture, which the import finds out as it reads it


def test_labels_and_names_are_in_normal_form_c(tmp_path):
    label, name = "É1", "ä.png"
    apart = {form: unicodedata.normalize("NFD", form) for form in (label, name)}
    put(tmp_path / "a", {f"{apart[label]}.png": b""})
    assert read(tmp_path / "a").pairs == [(f"{apart[label]}.png", label)]  # the path is the one on the disk
    put(tmp_path / "b", {apart[name]: b"", "labels.csv": f"path,label\n{name},{apart[label]}\n".encode()})
    assert read(tmp_path / "b").pairs == [(apart[name], label)]


def test_case_is_folded_on_request(tmp_path):
    files, _ = table("path,label", labels=[f"aB{k:02d}ß" for k in range(N)])
    put(tmp_path, files)
    assert set(read(tmp_path).wanted.labelling.as_dict()) == {"file"}
    found = read(tmp_path, fold_case=True)
    assert found.pairs[0] == ("0.png", "AB00ß")  # a letter that becomes two stays
    assert found.wanted.labelling.as_dict() == {"file": "labels.csv", "case": "upper"}


def test_blanks_in_labels_are_taken_out_and_counted(tmp_path):
    files, _ = table("path,label", '{k}.png," A B{k:02d} "')
    found = read(put(tmp_path, files))
    assert dict(found.pairs)["3.png"] == "AB03"
    assert found.mended["blanks"] == N


def test_files_that_say_the_same_are_no_rejects(tmp_path):
    files, want = table("path,label")
    put(tmp_path, files | {"gt.txt": "".join(f"{k}.png\t{label}\n" for k, label in enumerate(LABELS)).encode()})
    found = read(tmp_path)
    assert (dict(found.pairs), found.rejects) == (want, [])


def notes(folder: Path, **options) -> list[str]:
    for path in folder.rglob("*.png"):
        path.write_bytes(png(np.eye(9, dtype=np.uint8) * 255))
    report = dry_report(read(folder, **options), folder.with_name("reports"))
    assert isinstance(report["notes"], list)
    return report["notes"]


@pytest.mark.parametrize("name", ["{label}.png", "{label}_{k}.png", "{k:03d}-{label}.png"])
def test_names_that_differ_from_the_file_of_labels_are_told(tmp_path, name):
    """Five rows of the table have slipped by one picture."""
    labels = dict(enumerate(LABELS)) | {k: LABELS[k + 1] for k in range(5, 10)}
    rows = [f"{name.format(k=k, label=label)},{labels[k]}" for k, label in enumerate(LABELS)]
    files = named(lambda k, label: name.format(k=k, label=label))[0]
    put(tmp_path, files | {"labels.csv": "\n".join(["path,label", *rows]).encode()})
    (note,) = notes(tmp_path)
    assert "5 of 24 differ from those that are used" in note
    assert len(re.findall(r"(\S+\.png) has '(\w{4})', its name '(\w{4})'", note)) == 2
    for path, label, there in re.findall(r"(\S+\.png) has '(\w{4})', its name '(\w{4})'", note):
        k = LABELS.index(there)
        assert (path, label) == (name.format(k=k, label=there), LABELS[k + 1])


def test_names_that_say_the_same_as_mended_labels_are_not_told(tmp_path):
    labels = [f"a{label[1:]}" for label in LABELS]
    files = named(lambda k, label: f"{label}.png", labels)[0]
    put(tmp_path, files | {"labels.csv": "\n".join(["p,l", *(f"{t}.png,{t.upper()} " for t in labels)]).encode()})
    assert notes(tmp_path, fold_case=True) == []
    assert "24 of 24 differ" in notes(tmp_path)[0]


def test_names_without_labels_differ_from_none():
    for files, want in LAYOUTS.values():
        if not any(label in path for path, label in want.items()):
            assert difference(list(want.items()), str) == "", next(iter(files))


def test_a_file_of_labels_that_is_not_used_is_told(tmp_path):
    files, want = named(lambda k, label: f"{label}_{k}.png")
    put(tmp_path, files | {"sub/labels.csv": b"path,label\nx,y\n", "notes.txt": b"mine\n"})
    found = read(tmp_path, "first")
    assert {path: label for path, label in found.pairs if path in want} == want
    assert found.wanted.labelling.notes == ("sub/labels.csv: not used, since --pattern was given",)


@pytest.mark.parametrize(
    "spoilt", ["1.20E+05", "#NAME?", "417.0", "1-Mar", "05.Mai", "Mar-01", "2024-03-01", "nan", "None", "<NA>", "#N/A"]
)
def test_what_a_spreadsheet_made_of_a_label_is_left_out_and_told(tmp_path, spoilt):
    files, _ = table("path,label")
    files["labels.csv"] = files["labels.csv"].replace(LABELS[5].encode(), spoilt.encode())
    found = read(put(tmp_path, files))
    assert len(found.pairs) == N - 1
    assert [path for path, _ in found.rejects] == ["5.png"]
    assert "spreadsheet" in found.rejects[0][1]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("count", [3, 12, 60, 400])
@pytest.mark.parametrize(
    "alphabet", ["ABCDEFGHJKLMNPQRSTUVWXYZ23456789", "abcdefghijklmnopqrstuvwxyz0123456789", "0123456789"]
)
def test_a_name_is_read_right_or_asked_about(seed, count, alphabet):
    """Names as many tools write them, with labels of many alphabets and folders of many sizes."""
    chance = random.Random(1000 * seed + count)
    shapes: list[Callable[[int, str], str]] = [
        lambda k, label: f"{label}_{chance.getrandbits(128):032x}",
        lambda k, label: f"{label}_{chance.randrange(100_000, 1_000_000)}",
        lambda k, label: f"{chance.getrandbits(32):08x}-{label}",
        lambda k, label: f"{label}_{k}",
        lambda k, label: f"{chance.randrange(10**6):06d}_{label}",
        lambda k, label: f"captcha-{k}-{label}",
        lambda k, label: f"{label}_{chance.choice('abc')}{k}",
        lambda k, label: f"{label}-{chance.random():.5f}",
        lambda k, label: f"2023-{1 + k % 12:02d}-{1 + k % 28:02d} {k % 24:02d}.{k % 60:02d}.{k * 7 % 60:02d} {label}",
        lambda k, label: label,
    ]
    length = chance.choice([4, 5, 6])
    for shape in shapes:
        want = {}
        for k in range(count):
            label = "".join(chance.choice(alphabet) for _ in range(length))
            want[shape(k, label) + ".png"] = label
        try:
            pattern = infer_pattern(list(want), "whole")
        except BadInput as error:
            assert "names:" in str(error)
        else:
            labelling = Labelling(pattern)
            assert {path: label for path, label in want.items() if labelling.label(path) not in (label, None)} == {}


def test_most_usual_names_need_no_question():
    """Of the layouts above, with labels of digits: a question is right only where a counter may be a label too."""
    clear = [
        lambda k, label: f"{label}_{HASHES[k]}", lambda k, label: f"{k:04d}_{label}", lambda k, label: label,
        lambda k, label: f"captcha_{label}", lambda k, label: f"2024-01-{k + 1:02d}_{label}",
        lambda k, label: f"{label}_{k}",
    ]  # fmt: skip
    for shape in clear:
        want = {shape(k, label) + ".png": label for k, label in enumerate(DIGITS)}
        labelling = Labelling(infer_pattern(list(want), "whole"))
        assert {path: labelling.label(path) for path in want} == want


@pytest.mark.parametrize(
    "doctype",
    [
        '<!DOCTYPE a [<!ENTITY x "ha"><!ENTITY y "&x;&x;&x;&x;">]>',
        '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE a [<!ENTITY % x SYSTEM "http://127.0.0.1:9/x.dtd"> %x;]>',
        '<!DOCTYPE a SYSTEM "http://127.0.0.1:9/x.dtd">',
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_xml_that_may_define_entities_is_refused(tmp_path, doctype, encoding):
    text = xml(
        '<image file="{k}.png" tag="&x;"/>', "imagelist", f'<?xml version="1.0" encoding="{encoding}"?>{doctype}'
    )
    put(tmp_path, beside({"words.xml": text.encode(encoding)})[0])
    with pytest.raises(BadInput, match=r"words.xml: has a document type \(\w+\), which may define entities"):
        read(tmp_path)


def test_shapes_that_give_no_single_text_label_nothing(tmp_path):
    two = voc("AB").replace("</annotation>", voc("CD").partition("</size>")[2])
    files = {f"{k}.xml": voc(label) for k, label in enumerate(LABELS)} | {"3.xml": two}
    found = read(put(tmp_path, beside(files)[0]))
    assert len(found.pairs) == N - 1
    assert found.rejects == [("3.png", "its label is empty")]


def test_a_file_of_labels_beside_annotations_is_told(tmp_path):
    files, want = table("path,label")
    found = read(put(tmp_path, files | {f"{k}.xml": voc("captcha").encode() for k in range(N)}))
    assert dict(found.pairs) == want
    (note,) = found.wanted.labelling.notes
    assert note == "a .xml beside each picture: not used, since labels.csv has labels"


@pytest.mark.parametrize(
    "text",
    [
        '{"shapes": [{"label": 1, "points": [["a", 1], 5, []]}, null, 5, {"points": 5}], "imagePath": null}',
        '{"shapes": [{"label": ["A"], "points": {"x": [1e999]}}], "imagePath": {}}',
        '{"a": {"filename": [1], "regions": {"0": 5}}, "b": {"filename": null, "regions": 5}}',
        '{"a": {"filename": "x", "regions": [{"shape_attributes": {"all_points_x": "1"}, "region_attributes": []}]}}',
        '{"_via_img_metadata": [], "_via_settings": 5}', '{"shapes": [], "imagePath": 5}', "5", "null", "[[[]]]", "{}",
        '{"images": [{"id": [1], "file_name": 5}], "annotations": [{"image_id": {}, "category_id": [], "bbox": 5}]}',
        '{"images": [{"id": "x"}], "annotations": [{"image_id": "x", "category_id": 1}], "categories": [{"id": 1}]}',
        '{"imgs": {"1": {"id": 1}}, "anns": {"1": {"image_id": 1, "bbox": ["x"]}}}', '{"a": ' * 300 + "{}" + "}" * 300,
        '[{"file": "{\\"a\\": 5}"}]', '[{"file": "{" }]',
    ],
)  # fmt: skip
def test_annotations_of_any_shape_are_refused_or_left_out(tmp_path, text):
    for name in ("labels.json", "0.json"):
        put(tmp_path / name, beside({name: text}, "{}.PNG")[0])
        with pytest.raises(BadInput):
            read(tmp_path / name)
    put(tmp_path / "all", beside({f"{k}.json": text for k in range(N)})[0])
    with pytest.raises(BadInput):
        read(tmp_path / "all")


def test_columns_of_letters_are_joined(tmp_path):
    files, want = table("filename,c1,c2,c3,c4", "{k}.png,{label[0]},{label[1]},{label[2]},{label[3]}")
    assert dict(read(put(tmp_path, files), columns=("filename", "c1+c2+c3+c4")).pairs) == want
    assert dict(read(tmp_path, columns=("1", "2+3 + 4+5")).pairs) == want


def test_a_letter_that_needs_no_code_was_written_as_it_is():
    """`%41` would be A: no tool writes it so, and `5%` is no code at all."""
    labelling = Labelling("whole")
    want = {"%41B.png": "%41B", "5%.png": "5%", "%2B5%.png": "%2B5%", "%C3%89T.png": "ÉT", "%C3T.png": "%C3T"}
    assert {path: labelling.label(path) for path in want} == want


def test_what_no_picture_shows_is_taken_out_of_labels(tmp_path):
    """Blanks of any width, marks of direction, joiners, fillers, marks for variants."""
    unseen = "\u3000\u00a0\u200f\u200b\ufeff\u00ad\u200c\u200d\u2060\u034f\u3164\ufe0f"
    files, _ = table("path,label", labels=[f"A{mark}B{k:02d}" for k, mark in enumerate(unseen * 2)])
    found = read(put(tmp_path, files))
    assert dict(found.pairs) == {f"{k}.png": f"AB{k:02d}" for k in range(N)}
    assert "24 labels had invisible characters, which are taken out" in notes(tmp_path)


def test_joiners_stay_where_letters_join():
    """Between Arabic letters they change the shapes; before and behind a word, and beside Latin letters, nothing."""
    assert seen("\u0645\u06cc\u200c\u062e\u0648\u0627\u0647") == "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647"
    assert seen("\u200d\u0645\u200d") == "\u0645"
    assert seen("A\u200dB") == "AB"
    assert seen("\u200d") == ""


def test_accents_are_joined_where_an_invisible_mark_stood_between():
    assert tidy_label("E\u034f\u0301") == "\u00c9"


def test_the_apostrophes_of_a_spreadsheet_go_if_all_labels_have_them(tmp_path):
    put(tmp_path, table("path,label", labels=[f"'{label}" for label in DIGITS])[0])
    assert dict(read(tmp_path).pairs) == {f"{k}.png": label for k, label in enumerate(DIGITS)}
    assert any("all 24 labels began with an apostrophe" in note for note in notes(tmp_path))
    some = [f"'{label}" if k else label for k, label in PAIRS]
    put(tmp_path, table("path,label", labels=some)[0])
    assert [label for _, label in sorted(read(tmp_path).pairs, key=lambda pair: int(pair[0][:-4]))] == some


def test_a_file_that_says_one_thing_of_all_is_told_and_set_aside(tmp_path):
    put(tmp_path, table("id,label", "{k},{label}", name="train.csv", picture="train/{}.png")[0])
    submission = "id,label\n" + "".join(f"t{k},AAAA\n" for k in range(12))
    put(tmp_path, {"sample_submission.csv": submission.encode()} | {f"test/t{k}.png": b"" for k in range(12)})
    found = read(tmp_path)
    assert {path.partition("/")[0] for path, _ in found.pairs} == {"train"}
    assert "sample_submission.csv: not used, since it says only 'AAAA' of its 12" in notes(tmp_path)
    (tmp_path / "train.csv").unlink()
    assert "all 12 pictures have the label 'AAAA'" in notes(tmp_path)  # the only file: perhaps all show that


def test_a_sum_with_blanks_is_a_label(tmp_path):
    files, _ = beside({f"{k}.txt": f"{k} + 3 = ?" for k in range(N)})
    assert dict(read(put(tmp_path, files)).pairs)["7.png"] == "7+3=?"


def test_letters_with_twins_are_told(tmp_path):
    """Of another script beside the Latin letter, or of another width; a set in one script has no twins."""
    labels = ["A" + label for label in LABELS]
    cyrillic = [label.replace("A", "\u0410") if k % 2 else label for k, label in enumerate(labels)]
    wide = ["\uff21" + label[1:] for label in labels]
    russian = ["\u0410\u0411"[k % 2] + label for k, label in enumerate(DIGITS)]
    told = ["'\u0410' (CYRILLIC CAPITAL LETTER A) looks like 'A'", "'\uff21' (FULLWIDTH LATIN CAPITAL LETTER A) looks"]
    for written, twin in zip((cyrillic, wide, russian), (*told, ""), strict=True):
        put(tmp_path, table("path,label", labels=written)[0])
        assert [twin in note for note in notes(tmp_path)] == ([True] if twin else [])


def test_answers_of_a_reader_are_taken_where_somebody_says_so(tmp_path):
    files, want = table("path,word,confidence,reading,status", "{k}.png,{label},0.9,{label},solved", name="answers.csv")
    put(tmp_path, files)
    labelling = find_labels(tmp_path, tmp_path / "answers.csv", None, LabelOptions(columns=("path", "word")))
    assert dict(Listing(ImportRequest(tmp_path, "mine", labelling)).pairs) == want


def test_numbers_that_end_elsewhere_are_not_shifted(tmp_path):
    """A picture that is gone, and one without a label in the middle."""
    files, want = table("id,label", "{k},{label}")
    gone = {name: data for name, data in files.items() if name != "23.png"}
    assert dict(read(put(tmp_path, gone)).pairs) == {name: label for name, label in want.items() if name != "23.png"}


def test_a_quote_in_quotes_may_have_a_backslash(tmp_path):
    files, _ = table("", '{k}.png, "{label}"', name="gt.txt")
    files["gt.txt"] = files["gt.txt"].replace(f'"{LABELS[3]}"'.encode(), b'"\\"AB"')
    assert dict(read(put(tmp_path, files)).pairs)["3.png"] == '"AB'


def test_boxes_of_several_texts_label_nothing(tmp_path):
    files, _ = beside({f"{k}.txt": f"1,2,3,4,5,6,7,8,{label}\n9,2,9,4,9,6,9,8,XY" for k, label in PAIRS})
    assert {reason for _, reason in read(put(tmp_path, files)).rejects} == {"its label is empty"}


@pytest.mark.parametrize(
    "name", ["img{label}.png", "captcha_{k}-txt{label}.png", "char{label}/{k}.png", "x{k}_no{label}.png"]
)
def test_the_patterns_that_are_offered_for_a_word_before_labels_take_it_away(name):
    """Each offered pattern reads what the message says that it reads."""
    want = {name.format(k=k, label=label): label for k, label in enumerate(DIGITS)}
    with pytest.raises(BadInput) as error:
        infer_pattern(list(want), "whole")
    pattern = re.findall(r"--pattern '(.*?)' reads", str(error.value))[0]
    labelling = Labelling(pattern)
    assert {path: labelling.label(path) for path in want} == want


@pytest.mark.parametrize(
    ("column", "good", "bad"),
    [
        ("correct", "true", "false"),
        ("is_valid", "1", "0"),
        ("status", "ok", "error"),
        ("was_cancelled", "false", "true"),
        ("answer", "accept", "reject"),
    ],
)
def test_rows_that_are_marked_as_wrong_are_left_out(tmp_path, column, good, bad):
    rows = "".join(f"{k}.png,{label},{good if k % 4 else bad}\n" for k, label in PAIRS)
    put(tmp_path, beside({"labels.csv": f"file,text,{column}\n{rows}"})[0])
    found = read(tmp_path)
    assert dict(found.pairs) == {f"{k}.png": label for k, label in PAIRS if k % 4}
    assert dict(found.rejects)["0.png"] == (
        f"labels.csv marks its label '{LABELS[0]}' as wrong: {column} is {bad}"
    )  # fmt: skip


def test_of_several_tries_the_right_one_counts(tmp_path):
    rows = "".join(f"{k}.png,XXXX,error\n{k}.png,{label},ok\n" for k, label in PAIRS)
    files, want = beside({"log.csv": f"file,text,status\n{rows}"})
    assert dict(read(put(tmp_path, files)).pairs) == want


@pytest.mark.parametrize("mark", ["???", "-", "###", "ERROR_CAPTCHA_UNSOLVABLE"])
def test_marks_that_stand_for_no_label_are_left_out(tmp_path, mark):
    put(tmp_path, table("file,label", labels=[label if k % 4 else mark for k, label in PAIRS])[0])
    found = read(tmp_path)
    assert dict(found.pairs) == {f"{k}.png": label for k, label in PAIRS if k % 4}
    assert dict(found.rejects)["0.png"] == f"its label {mark!r} stands for none"


def test_signs_among_single_letters_are_labels(tmp_path):
    files, want = table("file,label", labels=["+-0123456789"[k % 12] for k in range(N)])
    assert dict(read(put(tmp_path, files)).pairs) == want


def test_signs_within_other_labels_are_labels(tmp_path):
    files, want = table("file,label", labels=["+-", *(f"{v[:2]}+-"[k % 2 :] for k, v in PAIRS[1:])])
    assert dict(read(put(tmp_path, files)).pairs) == want


def test_a_letter_that_was_lost_is_told(tmp_path):
    put(tmp_path, table("file,label", labels=[label if k else "A\ufffdB" for k, label in PAIRS])[0])
    assert "has lost a letter" in dict(read(tmp_path).rejects)["0.png"]


def test_columns_say_that_labels_are_what_they_seem_not_to_be(tmp_path):
    """Each question names this way out."""
    for number, case in enumerate(("rows that nobody has labelled", "a list of classes")):
        put(tmp_path / str(number), ASKED[case][0])
        assert len(read(tmp_path / str(number), columns=("1", "2")).pairs) >= N - 1
    files, want = table("file,md5", "{k}.png,{hash:.8}", labels=[text[:8] for text in HASHES])
    assert dict(read(put(tmp_path / "md5", files), columns=("file", "md5")).pairs) == want


@pytest.mark.parametrize("case", ["folders with a mark for small letters", "folders with the case before the letter",
                                  "sums with their results"])  # fmt: skip
def test_patterns_that_are_offered_read_what_the_message_says(case):
    paths = list(ASKED[case][0])
    with pytest.raises(BadInput) as error:
        infer_pattern(paths, "whole")
    for pattern, said, path in re.findall(r"--pattern '(.*?)' reads '(.*?)' in (.*?),", str(error.value)):
        assert Labelling(pattern).label(path) == said


def test_what_only_some_labels_have_around_them_stays():
    labels = {str(k): label for k, label in enumerate(["OK|A", "<B>", "b'C'", "['D']", "&", "E&amp"])}
    assert unwrapped(labels, Counter()) == labels


def test_a_file_named_for_a_split_labels_that_folder(tmp_path):
    files, _ = table("Id,Label", "{k},{label}", name="trainLabels.csv", picture="train/{}.png")
    found = read(put(tmp_path, files | {f"test/{k}.png": b"" for k in range(N)}))
    assert dict(found.pairs) == {f"train/{k}.png": label for k, label in PAIRS}
    assert {reason for _, reason in found.rejects} == {"no label in trainLabels.csv"}


def test_marks_and_numbers_that_pictures_hardly_show_are_told(tmp_path):
    put(tmp_path, table("file,label", labels=[v if k % 4 else f"{v[:2]}?{v[3]}" for k, v in PAIRS])[0])
    odd = f"{LABELS[0][:2]}?{LABELS[0][3]}"
    assert f"6 of 24 labels have marks that the others lack, such as {odd!r}" in notes(tmp_path)
    put(tmp_path, table("file,label", labels=[str(k % 12) for k in range(N)])[0])
    with pytest.raises(BadInput, match=r"labels\.csv: are numbers from 0 to 11, as of classes"):
        notes(tmp_path)
    told = notes(tmp_path, columns=("file", "label"))
    assert "labels are numbers from 0 to 11, as of classes: pictures must show these numbers" in told
    put(tmp_path, table("file,label", labels=SUMS)[0])
    assert notes(tmp_path) == []


def test_a_file_that_repeats_names_which_are_labels_is_taken(tmp_path):
    files, want = named(lambda k, label: f"{label}.png")
    put(tmp_path, files | {"labels.csv": "".join(["p,l\n", *(f"{v}.png,{v}\n" for v in LABELS)]).encode()})
    found = read(tmp_path)
    assert dict(found.pairs) == want
    assert found.wanted.labelling.file == tmp_path / "labels.csv"


@pytest.mark.parametrize(
    ("spoilt", "reason"),
    [
        ("{} (unclear)", "has a remark"),
        ("{} or ABCD", "has a remark"),
        ("{} # check", "has a remark"),
        ("unreadable", "stands for none"),
        ("n/a", "stands for none"),
        ("skip", "stands for none"),
    ],
)
def test_remarks_and_words_in_place_of_labels_are_left_out(tmp_path, spoilt, reason):
    labels = [label if k else spoilt.format(label) for k, label in PAIRS]
    found = read(put(tmp_path, table("file,label", labels=labels)[0]))
    assert dict(found.pairs) == {f"{k}.png": label for k, label in PAIRS[1:]}
    assert reason in dict(found.rejects)["0.png"]


def test_words_among_words_are_labels(tmp_path):
    """Any word may be shown; what is said of some letters alone is no remark."""
    labels = [*words(4)[:-1], "none"]
    files, want = table("file,label", labels=labels)
    assert dict(read(put(tmp_path, files)).pairs) == want


def test_marks_within_labels_fill_nothing_up():
    """A mark in the middle, sums that ask, and labels of several lengths, which ended so before anyone filled them."""
    for labels in (["A_B___", *["ABCD__"] * 9], ["1+2=", "12+3="] * 5, ["AB--", "ABCDE-"] * 5, ["A-B", "1-2"] * 5):
        listed = {str(k): label for k, label in enumerate(labels)}
        assert unwrapped(listed, Counter()) == listed


def test_what_stands_around_labels_is_told(tmp_path):
    """Also if it stands around some of them."""
    put(tmp_path, table("file,label", labels=[f"{v[: 2 + k % 3]:-<4}" for k, v in PAIRS])[0])
    assert notes(tmp_path) == ["16 labels were filled up at the end to one length, which is taken away"]


def test_a_label_that_may_be_doubted_is_told(tmp_path):
    put(tmp_path, table("file,label", labels=[v if k % 4 else f"{v}?" for k, v in PAIRS])[0])
    assert f"6 of 24 labels have marks that the others lack, such as '{LABELS[0]}?'" in notes(tmp_path)


def test_a_joiner_that_a_picture_shows_is_named_as_the_reason(tmp_path):
    """Persian: half of a word's letters do not join the next."""
    word = "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647"
    put(tmp_path, table("file,label", labels=[v if k else word for k, v in enumerate(HEBREW)])[0])
    (reason,) = {reason for _, reason in read(tmp_path).rejects}
    assert "has an invisible joiner, which no model reads: write the label without it" in reason


def test_other_files_beside_pictures_are_told(tmp_path):
    """They may say something else; a .gt.txt is no .txt."""
    files, want = beside({f"{k}.gt.txt": v for k, v in PAIRS} | {"3.json": '{"text": "ABCD"}'})
    assert dict(read(put(tmp_path, files)).pairs) == want
    assert notes(tmp_path) == ["a .json beside a picture: not used, since a .gt.txt has the label"]


@pytest.mark.parametrize("name", ["~$labels.xlsx", "train.py", "config.yaml", "index.html", "model.h5", "captchas.zip"])
def test_files_of_something_else_ask_nothing_where_names_hold_labels(tmp_path, name):
    """What an office program keeps beside an open file, and what a project has: none of these names a picture."""
    files, want = with_file(name, "rate: 0.1")
    found = dict(read(put(tmp_path, files)).pairs)
    assert {path: label for path, label in found.items() if path != name} == want


@pytest.mark.parametrize(
    ("name", "remedy"),
    [("labels.sqlite", "labels.csv"), ("a.tar.gz", "unpack it first"), ("a.pickle", "labels.csv"), ("a.xlsm", "CSV")],
)
def test_a_file_of_labels_that_is_no_text_is_refused_with_a_remedy(tmp_path, name, remedy):
    put(tmp_path, {name: b"x"})
    labelling = find_labels(tmp_path, tmp_path / name, None, LabelOptions())
    with pytest.raises(BadInput, match=rf"{name}: files of labels are text, JSON or XML, not .*{remedy}"):
        Listing(ImportRequest(tmp_path, "mine", labelling))


def test_files_that_are_named_for_nothing_are_no_pictures_in_a_dry_run(tmp_path):
    """They have no suffix, as a picture may; one that a browser has not finished has its picture's label."""
    files, want = named(lambda k, label: f"{label}.png{'.part' * (k == 0)}")
    put(tmp_path, dict.fromkeys(files, png(np.eye(9, dtype=np.uint8) * 255)) | {"LICENSE": b"MIT", "Icon\r": b""})
    found = read(tmp_path)
    report = dry_report(found, tmp_path.with_name("reports"))
    assert (report["pictures"], report["alphabet"]) == (N, "".join(CLASSES))
    assert report["rejects"] == [{"path": name, "reason": "is no picture"} for name in ("Icon\r", "LICENSE")]
    assert {path: dict(found.pairs)[path] for path in want} == want


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"PK\x03\x04\x14\x00", "is a spreadsheet or an archive"),
        (b"\x1f\x8b\x08\x00", "unpack it first"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:12\n", "git lfs pull"),
        (b"<!DOCTYPE html><html>", "is a page of the web"),
        (b"SQLite format 3\0", "is a database"),
    ],
)
def test_a_file_that_is_not_what_its_name_says_is_named(tmp_path, data, said):
    put(tmp_path, beside({"labels.csv": data})[0])
    with pytest.raises(BadInput, match=said):
        read(tmp_path)


def test_files_of_labels_may_be_of_a_half_where_names_hold_none(tmp_path):
    """Competitions give labels of train only, and pictures have random names."""
    ids = words(6)
    train = "id,label\n" + "".join(f"{name},{LABELS[k]}\n" for k, name in enumerate(ids[: N // 2]))
    put(tmp_path, {"train.csv": train.encode()} | {f"{name}.png": b"" for name in ids})
    assert dict(read(tmp_path).pairs) == {f"{name}.png": LABELS[k] for k, name in enumerate(ids[: N // 2])}


def test_a_percent_sign_before_a_number_is_no_code_of_a_control_character():
    assert Labelling("whole").label("A%12+.png") == "A%12+"


def test_a_quote_in_one_label_is_told(tmp_path):
    put(tmp_path, table("file\tlabel", "{k}.png\t{label}", name="labels.tsv", labels=[f'"{LABELS[0]}', *LABELS[1:]])[0])
    assert any("1 of 24 labels have marks that the others lack" in note for note in notes(tmp_path))


def test_a_short_row_of_via_is_no_traceback(tmp_path):
    """The last row was cut off, as of a file that was not downloaded to its end."""
    files, want = LAYOUTS["CSV of VIA"]
    (name,) = (path for path in files if path.endswith(".csv"))
    rows = files[name].decode().splitlines()
    put(tmp_path, files | {name: "\n".join([*rows[:-1], rows[-1].partition(",")[0]]).encode()})
    assert len(read(tmp_path).pairs) == len(want) - 1


def test_what_a_generator_says_of_its_pictures_is_set_aside_where_names_hold_labels(tmp_path):
    """Each picture has a .json of facts beside it; a field that is no fact is asked about."""
    files, want = named(lambda k, label: f"{label}_{k}.png")
    facts = {f"{path[:-4]}.json": {"width": 100, "noise": k / 100} for k, path in enumerate(want)}
    put(tmp_path, files | {path: json.dumps(said).encode() for path, said in facts.items()})
    assert {path: label for path, label in read(tmp_path).pairs if path in want} == want
    assert any("a .json beside each picture: not used" in note for note in read(tmp_path).wanted.labelling.notes)
    put(tmp_path, {path: json.dumps(said | {"thing": path[:2]}).encode() for path, said in facts.items()})
    with pytest.raises(BadInput, match=r"the .json beside each picture says '..' of .*--pattern '\{label\}_\*'"):
        read(tmp_path)


def test_labels_that_people_typed_in_either_case_are_told(tmp_path):
    files, _ = table("file,label", labels=[label.lower() if k % 2 else label for k, label in PAIRS])
    put(tmp_path, files)
    assert any("if people typed them so, use --fold-case" in note for note in notes(tmp_path))
    put(tmp_path, table("file,label", labels=[f"a{label}" for label in LABELS])[0])
    assert notes(tmp_path) == []


@pytest.mark.parametrize("name", ["noisy/{}.png clean/{}.png", "{}.png {}.jpg", "a/orig/{}_1.png a/bin/{}_1.png"])
def test_texts_of_several_drawings_are_told(name):
    """They may come into train and test; single letters are repeated by every font."""
    ways = name.split()
    assert drawn_twice([(way.format(v), v) for v in LABELS for way in ways])[0] == N
    assert drawn_twice([(way.format(v), v) for v in CLASSES for way in ways]) is None
    assert drawn_twice([(ways[k % 2].format(v), v) for k, v in PAIRS]) is None


def test_the_note_of_two_drawings_names_them_and_what_to_do(tmp_path):
    put(tmp_path, {f"{kind}/{v}.png": b"" for v in LABELS for kind in ("clean", "noisy")})
    (note,) = notes(tmp_path)
    assert note.startswith("24 texts have several pictures, clean/ and noisy/: all are taken, and those of one text")
    assert "train and test" in note
    assert "import the folder" in note


def test_numbers_of_several_lengths_without_a_zero_before_are_told(tmp_path):
    numbers = [str(10_000 + 977 * k)[-4 - k % 2 :].lstrip("0") for k in range(60)]
    put(tmp_path, {f"{k}.png": b"" for k in range(60)})
    put(tmp_path, {"labels.csv": "".join(f"{k}.png,{v}\n" for k, v in enumerate(numbers)).encode()})
    (note,) = notes(tmp_path, columns=("1", "2"), zeros=None)
    assert note.startswith("no label begins with 0, and the shortest are few (")
    put(tmp_path, {"labels.csv": "".join(f"{k}.png,{v}\n" for k, v in enumerate(["0417", *numbers[1:]])).encode()})
    assert notes(tmp_path, columns=("1", "2")) == []


@pytest.mark.parametrize(
    ("label", "told"),
    [("#{}", ["begin with '#'"]), ("0x{}", ["begin with '0x'"]), ("{}*", ["end with '*'"]), ("{}=", []), ("{}", [])],
)
def test_what_all_labels_begin_or_end_with_is_told(tmp_path, label, told):
    put(tmp_path, table("file,label", labels=[label.format(v) for v in LABELS])[0])
    assert notes(tmp_path) == [
        f"all labels {how}: if pictures do not show it, take it out of the labels" for how in told
    ]


def test_labels_in_base64_without_padding_are_known_by_what_they_hold():
    coded = [base64.b64encode(f"{v}{v[:2]}".encode()).decode() for v in LABELS]
    assert base64_texts(coded) == [f"{v}{v[:2]}" for v in LABELS]
    assert base64_texts(LABELS) is None
    assert base64_texts([f"{v}{v}" for v in LABELS]) is None


@pytest.mark.parametrize("count", [5, 10, 30, 100, 1000])
def test_labels_of_digits_end_with_no_counter(count):
    chance = random.Random(count)
    want = {f"{chance.randrange(1_000_000):06d}.png" for _ in range(count)}
    assert infer_pattern(sorted(want), "last") == "whole"


def test_another_programs_export_json_is_no_record_of_an_export(tmp_path):
    files, want = as_json({f"{k}.png": v for k, v in PAIRS}, "export.json")
    assert dict(read(put(tmp_path, files)).pairs) == want


def test_a_long_first_line_is_cut_in_a_message(tmp_path):
    put(tmp_path, named(lambda k, label: f"{k}.png")[0] | {"labels.txt": b"f(x), " * 99})
    with pytest.raises(BadInput, match="no column names pictures") as error:
        read(tmp_path)
    assert len(str(error.value)) < 500 + len(str(tmp_path))


def test_a_few_numbers_of_classes_are_no_labels_of_pictures(tmp_path):
    files, want = beside({f"{k}.txt": v for k, v in PAIRS})
    classes = [{"id": k, "name": name} for k, name in enumerate(["captcha", "logo"], 1)]
    found = read(put(tmp_path, files | {"classes/classes.json": json.dumps(classes).encode()}))
    assert dict(found.pairs) == want


def test_columns_that_mark_wrong_rows_leave_these_out(tmp_path):
    marks = {
        "decision": ("approved", "rejected"), "AssignmentStatus": ("Approved", "Rejected"), "solved": ("true", "false"),
        "verified": ("1", "0"), "passed": ("yes", "no"), "mismatch": ("0", "1"), "outcome": ("success", "failed"),
        "flagged": ("", "x"), "richtig": ("ja", "nein"), "http": ("200", "403"),
        "note": ("", "unreadable"), "comment": ("nice", "wrong!"), "error": ("", "wrong text"),
    }  # fmt: skip
    for name, (good, bad) in marks.items():
        rows = "".join(f"{k}.png,{label},{bad if k % 4 == 1 else good}\n" for k, label in PAIRS)
        put(tmp_path, beside({"labels.csv": f"file,text,{name}\n{rows}"})[0])
        there = read(tmp_path)
        assert dict(there.pairs) == {f"{k}.png": label for k, label in PAIRS if k % 4 != 1}, name
        told = f"labels.csv marks its label {LABELS[1]!r} as wrong: {name} is {bad}"
        assert any("1.png" in str(reject) and told in str(reject) for reject in there.rejects)


@pytest.mark.parametrize(
    ("name", "values"),
    [("style", ["lines", "dots", "mixed"]), ("country", ["DE", "US", "FR"]), ("weight", "123456789"),
     ("thing", ["wavy", "plain"]), ("captcha_id", [f"{k * 7919 % 9000 + 1000}" for k in range(N)]),
     ("duration_ms", [f"{k * 131 % 900 + 100}" for k in range(N)]),
     ("token", [f"{k * 7919 % 9000 + 1000}" for k in range(N)])],
)  # fmt: skip
def test_a_column_of_classes_or_of_other_facts_is_no_label(tmp_path, name, values):
    repeated = [values[k % len(values)] for k in range(60)]
    want = {f"{k}.png": b"" for k in range(60)}
    put(
        tmp_path,
        want | {"meta.csv": "".join([f"file,{name}\n", *(f"{k}.png,{v}\n" for k, v in enumerate(repeated))]).encode()},
    )
    with pytest.raises(BadInput, match=rf"meta.csv: tells .*{name}.* --columns file,{name}"):
        read(tmp_path)


def test_a_column_of_few_values_is_taken_if_it_is_called_label(tmp_path):
    put(tmp_path, {f"{k}.png": b"" for k in range(60)})
    put(
        tmp_path, {"labels.csv": "".join(["file,letter\n", *(f"{k}.png,{'ABC'[k % 3]}\n" for k in range(60))]).encode()}
    )
    assert dict(read(tmp_path).pairs) == {f"{k}.png": "ABC"[k % 3] for k in range(60)}


@pytest.mark.parametrize("name", ["pseudo_labels", "tesseract_out", "easyocr", "gpt4", "labels_auto", "2captcha",
                                  "weak_labels", "solver_log", "model_output", "crnn_results"])  # fmt: skip
def test_answers_of_a_reader_are_told_by_the_name_of_their_file(tmp_path, name):
    put(tmp_path, table("file,text", name=f"{name}.csv")[0])
    with pytest.raises(BadInput, match="holds a reader's answers"):
        read(tmp_path)


@pytest.mark.parametrize("stray", ["unknown", "todo", "background1", "XXXXX"])
@pytest.mark.parametrize("name", ["{label}_{k:04}.png", "{k:04}_{label}.png"])
def test_names_of_pictures_without_a_label_are_asked_about(tmp_path, stray, name):
    put(tmp_path, named(lambda k, label: name.format(k=k, label=label))[0])
    assert len(read(tmp_path).pairs) == N
    put(tmp_path, {name.format(k=N, label=stray): b""})
    with pytest.raises(BadInput, match=rf"1 of {N + 1} seem to .*{stray}"):
        read(tmp_path)


def test_words_are_labels_among_words(tmp_path):
    words = [
        "sample",
        "window",
        "orange",
        "test",
        "home",
        "blank",
        "image",
        "garden",
        "candle",
        "rabbit",
        "lamp",
        "tree",
    ]
    put(tmp_path, named(lambda k, label: f"{words[k % 12]}_{k}.png")[0])
    assert {label for _, label in read(tmp_path).pairs} == {*words}


@pytest.mark.parametrize(
    ("name", "pattern"),
    [("{k:04}{label}.png", "[0-9]{4}(?P<label>[^/]+)"), ("v2{label}.png", "v2{label}"),
     ("captcha{label}.png", "captcha{label}"), ("a{label}.png", "a{label}")],
)  # fmt: skip
def test_what_stands_right_before_all_labels_is_asked_about(tmp_path, name, pattern):
    labels = [label + "WK" for label in LABELS]
    put(tmp_path, named(lambda k, label: name.format(k=k, label=label), labels)[0])
    with pytest.raises(BadInput, match=re.escape(f"--pattern '{pattern}' reads '")):
        read(tmp_path)
    assert sorted(label for _, label in read(tmp_path, pattern).pairs) == sorted(labels)


@pytest.mark.parametrize("name", ["{a}-{b}={c}_{k}.png", "{k:03}_{a}-{b}={c}.png"])
def test_sums_with_a_minus_are_asked_about(tmp_path, name):
    sums = [(k * 7 % 40, k * 11 % 30) for k in range(N)]
    put(tmp_path, named(lambda k, _: name.format(a=sums[k][0], b=sums[k][1], c=sums[k][0] - sums[k][1], k=k))[0])
    a, b = sums[0]
    with pytest.raises(BadInput, match=re.escape(f"--pattern '{{label}}=*' reads '{a}-{b}'")):
        read(tmp_path)


@pytest.mark.parametrize("folders", ["train_images test_images", "captcha_train captcha_test", "1_train 2_test"])
def test_splits_are_words_of_folders(folders):
    first, second = folders.split()
    assert (split_of(f"{first}/A.png"), split_of(f"{second}/A.png")) == ("train", "test")
    assert split_of("latest/A.png") is None


@pytest.mark.parametrize("name", ["ocr_labels.csv", "ocr/labels.csv", "auto/labels.csv"])
def test_tables_for_readers_are_no_answers_of_readers(tmp_path, name):
    files, want = beside({name: "file,text\n" + "".join(f"{k}.png,{label}\n" for k, label in PAIRS)})
    put(tmp_path, files)
    assert dict(read(tmp_path).pairs) == want


@pytest.mark.parametrize("column", ["number", "plate_number", "candidate", "anagrams", "category"])
def test_a_column_whose_name_ends_as_one_of_facts_is_read(tmp_path, column):
    put(tmp_path, table(f"file,{column}", name="data.csv")[0])
    assert dict(read(tmp_path).pairs) == {f"{k}.png": label for k, label in PAIRS}


def test_remarks_on_right_labels_leave_no_row_out(tmp_path):
    remarks = ["not bad", "bad lighting but legible", "was wrong and is corrected", "nothing wrong"]
    rows = "".join(f"{k}.png,{label},{remarks[k % 4]}\n" for k, label in PAIRS)
    put(tmp_path, beside({"labels.csv": f"file,label,comment\n{rows}"})[0])
    assert len(read(tmp_path).pairs) == N


@pytest.mark.parametrize("name", ["{label}/{k:04}.png", "{label}_{k:04}.png"])
def test_digits_among_single_letters_are_labels(tmp_path, name):
    labels = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    put(tmp_path, {name.format(k=k, label=label): b"" for label in labels for k in range(6)})
    assert {label for _, label in read(tmp_path).pairs} == {*labels}
