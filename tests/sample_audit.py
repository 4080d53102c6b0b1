"""An audit as `audit.json` holds it, made up: for the pages, with texts as strangers write them if asked for."""

import base64
import io
import random
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from tasks.audit import schema
from tasks.rates import Rate, RateRecord

ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
# Each would run, fetch, end an element, or turn the direction of writing, if a page took it as it is.
HOSTILE = (
    "<script>document.title='ran'</script>", "</title><script>alert(1)</script>", '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)", "</style><style>*{display:none}</style>", "javascript:alert(1)", "\u202egnp.exe\u2066",
    "a\x00b\x1b[31m", "\ud800", "]]>", "<!--", "&lt;b&gt;&amp;", "</svg><svg onload=alert(1)>", "https://example.org/x.png",
    "اختبار", "=HYPERLINK(1)", "x" * 5000, "{{7*7}}", "%s{0}", "</details></main>",
)  # fmt: skip


def rate(right: int, n: int) -> RateRecord:
    return Rate(right, n).as_dict()


def png(text: str, seed: int = 0, size: tuple[int, int] = (160, 60)) -> str:
    """A small CAPTCHA as the source of a picture."""
    chance = random.Random(seed)
    image = Image.new("RGB", size, (250, 248, 244))
    draw = ImageDraw.Draw(image)
    for _ in range(5):
        ends = [(chance.randrange(size[0]), chance.randrange(size[1])) for _ in range(2)]
        draw.line(ends, fill=(150, 160, 190), width=2)
    font = ImageFont.load_default(size=34)
    for k, letter in enumerate(text):
        place = (12 + k * (size[0] - 24) // max(len(text), 1), chance.randrange(2, 16))
        draw.text(place, letter, font=font, fill=(30, 40, 90))
    stored = io.BytesIO()
    image.save(stored, "PNG")
    return "data:image/png;base64," + base64.b64encode(stored.getvalue()).decode()


def noise_png(side: int, seed: int = 0) -> str:
    """A picture that does not compress: 3 bytes a pixel."""
    stored = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (side, side, 3), np.uint8)).save(stored, "PNG")
    return "data:image/png;base64," + base64.b64encode(stored.getvalue()).decode()


def attacker(name: str, title: str, labels: int, right: int | None, n: int = 2000, **more: Any) -> schema.Attacker:
    """An attacker that read `right` of `n` words; None for one that was not tried."""
    words = None if right is None else rate(right, n)
    share = 0.0 if right is None else right / n
    tries = {} if right is None else {
        str(k): rate(round((1 - (1 - share) ** k) * (n // k)), n // k) for k in schema.TRIES
    }  # fmt: skip
    return schema.Attacker(
        name=name, title=title, explained=f"How {title} works, in a sentence.", labels=labels, tried=right is not None,
        why_not=None if right is not None else "it is not installed: apt-get install it",
        train_seconds=labels * 0.03, seconds_a_picture=None if right is None else 0.004, words=words,
        letters=None if right is None else rate(min(4 * n, int(4 * n * share**0.25)), 4 * n), tries=tries,
        top_three=None if right is None else rate(min(n, int(1.1 * right)), n),
        thresholds=[
            schema.Threshold(coverage=answered / n, confidence=0.9, right=rate(min(right, answered), answered))
            for answered in (n // 10, n // 2, n)
        ] if right else [],
        expected_tries=1 / share if share else None, seconds_a_success=0.004 / share if share else None,
        cost=labels * 0.01, right=None,
    ) | more  # fmt: skip


def attackers(n: int = 2000) -> list[schema.Attacker]:
    rows = [
        ("chance", "Guessing", 0, 0), ("dictionary", "The commonest text", 0, 1), ("tesseract", "Tesseract", 0, 21),
        ("ddddocr", "ddddocr", 0, None), ("ladder", "Shipped classic reader", 0, 92),
        ("strangers", "Shipped deep reader", 0, 1315),
        *[("classic", "Classic reader", labels, right) for labels, right in
          ((100, 4), (300, 33), (1000, 181), (3000, 402), (10_000, 480))],
        *[("deep", "Deep reader", labels, right) for labels, right in
          ((100, 0), (300, 12), (1000, 730), (3000, 1622), (10_000, 1846))],
    ]  # fmt: skip
    return [attacker(*row, n=n) for row in rows]


def causes() -> list[schema.Cause]:
    def bins(rows: list[tuple[str, int, int]]) -> list[schema.Bin]:
        return [schema.Bin(label=label, start=None, stop=None, **rate(right, n)) for label, right, n in rows]

    overlaps = [("none", 598, 620), ("up to 5 %", 640, 700), ("5 to 10 %", 402, 480), ("over 10 %", 132, 200)]
    shears = [("-0.2 to -0.1", 440, 500), ("-0.1 to 0", 470, 500), ("0 to 0.1", 471, 500), ("0.1 to 0.2", 449, 500)]
    faces = [("DejaVu Sans Bold", 620, 640), ("Lobster Two", 540, 640), ("Amatic SC", 21, 24)]
    rows = [
        ("overlap", "Overlap of letters", False, "Letters that cover each other stop it most.", 0.31, overlaps),
        ("shear", "Shear", True, "Letters that lean are read as often as upright letters.", 0.05, shears),
        ("font", "Font", True, "A face is read less often than the others.", 0.12, faces),
    ]
    return [
        schema.Cause(name=name, title=title, stored=stored, plain=plain, difference=difference, bins=bins(found))
        for name, title, stored, plain, difference, found in rows
    ]


def what_ifs(n: int = 500) -> list[schema.WhatIf]:
    def row(name: str, change: str, direction: str, right: int, legible: float, stronger: bool | None) -> schema.WhatIf:
        d = right / n - 0.92
        return schema.WhatIf(
            name=name, change=change, direction=direction, words=rate(right, n), difference=[d, d - 0.03, d + 0.03],
            contrast=1.0, overlap=0.04, legible=legible, stronger=stronger,
            picture=schema.Figure(picture=png("K7QX", right), text=f"A picture drawn with {change}: K7QX"),
        )  # fmt: skip

    return [
        row("overlap", "overlap of letters: 2 to 5 pixels", "stronger", 310, 0.93, True),
        row("wave", "wave: 1 to 2 pixels", "stronger", 402, 0.97, True),
        row("lines", "lines: 2 to 4", "stronger", 455, 0.99, None),
        row("specks", "specks: without", "removed", 462, 1.0, None),
        row("shear", "shear: without", "removed", 489, 1.02, False),
    ]


def findings() -> list[schema.Finding]:
    figure = schema.Figure(picture=png("SAME", 5), text="The noise alone, separated by its colour: no letter is lost.")
    svg = schema.Figure(picture='<svg xmlns="http://www.w3.org/2000/svg" width="90" height="40"><rect width="90" '
                        'height="40" fill="#0068a8"/></svg>', text="A blue box.")  # fmt: skip
    return [
        schema.Finding(name="colour", title="Noise has another colour than the letters", severity="high",
                       plain="A program can remove the lines by their colour alone, and loses nothing of the letters.",
                       remedy="Draw lines and letters in the same colours.",
                       figures={"separable": rate(1988, 2000), "colours": 2, "n": 2000}, shown=[figure, svg]),
        schema.Finding(name="frequencies", title="Some letters come too often", severity="low",
                       plain="The letter K comes 3 times as often as the others, so guessing is easier.",
                       remedy="Draw each letter with the same chance.",
                       figures={"chi_square": 412.3, "p": 1.2e-30}, shown=[]),
        schema.Finding(name="answer", title="The answer in the file", severity="none",
                       plain="Neither names nor metadata hold the text.", remedy=None, figures={}, shown=[]),
        schema.Finding(name="border", title="Letters at the border", severity="unknown",
                       plain="The dataset has no boxes of letters.", remedy=None, figures={}, shown=[]),
    ]  # fmt: skip


def audit(*, hostile: bool = False) -> schema.Audit:
    """A whole audit of an owner's generator that is broken.

    Parameters
    ----------
    hostile : bool
        Every text that is not this package's own is one of `HOSTILE`.
    """
    chance = random.Random(19)
    texts = ["".join(chance.choices(ALPHABET, k=4)) for _ in range(12)]
    found = schema.Audit(
        schema=schema.SCHEMA,
        made=schema.Made(
            version="0.1.0", python="3.13.5", cores=2, started="2026-11-27T17:05:12Z", seconds=1712.4,
            minutes=30.0, seed=1,
            command="captchas audit shop:draw --minutes 30 --seed 1",
            packages={"numpy": "2.4.0", "pillow": "13.0.0", "onnxruntime": "1.22.0"},
        ),
        target=schema.Target(
            name="shop", kind="callable", given="shop:draw", dataset="audits/shop/pictures", identity="7f3a" * 16,
            content="c0de" * 16, pictures=12_500, redrawable=False, profile=None, colour=True, size=[60, 160],
            alphabet=ALPHABET, lengths=[4], fold_case=True,
            generator=schema.Generator(
                kind="callable", given="shop:draw", source="beef" * 16, seed=1, takes_rng=True, chooses_text=False,
                redraws=True, asked=12_520, drawn=12_500, failed=20, seconds_a_picture=0.0031,
                failures=[schema.Failure(what="raised ValueError", count=20,
                                         example="Traceback (most recent call last):\n  ValueError: no glyph for 'Q'")],
            ),
        ),
        verdict=schema.Verdict(
            word=schema.BROKEN, attacker="deep", labels=10_000, words=rate(1846, 2000), unseen=2000, needed=None,
            sentence="A deep reader that learnt from 10,000 labelled pictures reads 92 of 100 pictures that it never "
            "saw; a model that anybody can download reads 66 of 100 without a single label.",
            price_a_label=0.01, currency="USD", compared=15, low=0.905, reasons=["2 of 3 attackers get through"],
        ),
        attackers=attackers(),
        samples=[
            schema.Sample(picture=png(text, k), truth=text, read=text if k % 6 else text[:3] + "8",
                          confidence=0.97 - k / 40, right=bool(k % 6))
            for k, text in enumerate(texts)
        ],
        findings=findings(),
        why=schema.Why(
            attacker="Deep reader, 10,000 labelled pictures", n=2000, causes=causes(),
            letters=[
                schema.Letter(letter=letter, mistaken_for=[ALPHABET[k - 1]], **rate(210 + k, 250))
                for k, letter in enumerate(ALPHABET)
            ],
            pairs=[{"true": "Z", "read": "2", "count": 31}, {"true": "B", "read": "8", "count": 12}],
            failures=[{"what": "a letter was taken for another", "count": 120, "plain": "All letters were found."},
                      {"what": "a letter was missed", "count": 34, "plain": "Two letters looked like a single letter."},
                      ],
            saliency=[schema.Figure(picture=png("LOOK", 9), text="The attacker looks at the letters' upper half.")],
        ),
        what_if=what_ifs(),
        skipped=[schema.Skipped(part="ddddocr", why="it is not installed")],
    )  # fmt: skip
    return _made_hostile(found) if hostile else found


def _made_hostile(found: schema.Audit) -> schema.Audit:
    """Put hostile texts into every place of texts but for words, sources of pictures and numbers."""
    place = iter(range(10**6))
    kept = {"word", "severity", "kind", "direction", "picture", "name"}

    def hostile(value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            return {inner: hostile(one, inner) for inner, one in value.items()}
        if isinstance(value, list):
            return [hostile(one, key) for one in value]
        return HOSTILE[next(place) % len(HOSTILE)] if isinstance(value, str) and key not in kept else value

    changed = hostile(found)
    changed["verdict"]["attacker"] = found["verdict"]["attacker"]
    changed["target"]["name"] = HOSTILE[1]
    changed["made"]["packages"] = {text: text for text in HOSTILE}
    changed["findings"][0]["figures"] = {text: text for text in HOSTILE}
    for one, text in zip(changed["samples"], HOSTILE, strict=False):
        one["picture"] = text
    return changed
