"""Mutate a small dataset, a number at a time, and see what verifying and reading make of it.

    python mutate.py PLACE SEED FIRST LAST

PLACE holds `whole`, a dataset of the small profile that faults/drive.py draws. Before each mutation its
number is printed, after it a JSON object: `kind` and `what` was done; `found`, what verify says first, or
'' (with `redrawn` if only --redraw told); `read`, for each way to read it 'right', 'wrong' or an error;
`crashed`, any exception that is not the project's own. A mutation that changed nothing is `equal`, one of
a manifest that leads to no picture `recorded`.
"""

import argparse
import hashlib
import json
import random
import resource
import shutil
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path

import numpy as np

from storage.dataset import Dataset
from storage.errors import CaptchasError
from storage.shards import proven
from storage.shards.manifest import MANIFEST
from storage.shards.shard import BLOCK, Block, Shard, combined, parse_name
from storage.shards.writer import write_shard
from storage.texts import canonical
from tasks.datasets.inventory import inventory, recipe_of, require_dataset
from tasks.datasets.judge import judge
from tasks.datasets.prove import proof_jobs, prove

MEMORY = 4 << 30  # bytes of addresses: whoever believes in a made-up number of pictures is refused them, and found
# What a manifest only records: nothing leads from there to a picture, and nothing but the digest vouches for it.
RECORDED = ("software", "statistics", "digest")
KINDS = ("shard bytes", "manifest bytes", "manifest values", "sealed manifest values", "sealed arrays")


# Bytes.


def flip(rng: random.Random, data: bytearray) -> str:
    places = [rng.randrange(len(data) * 8) for _ in range(rng.choice([1, 1, 2, 8]))]
    for bit in places:
        data[bit // 8] ^= 1 << bit % 8
    return f"flipped bits {places}"


def overwrite(rng: random.Random, data: bytearray) -> str:
    start, size = _range(rng, data)
    data[start : start + size] = rng.randbytes(min(size, len(data) - start))
    return f"overwrote {size} bytes from {start}"


def zero(rng: random.Random, data: bytearray) -> str:
    start, size = _range(rng, data)
    size = min(size, len(data) - start)
    data[start : start + size] = bytes(size)
    return f"zeroed {size} bytes from {start}"


def cut(rng: random.Random, data: bytearray) -> str:
    size = rng.choice([0, 1, 31, 32, 33, 512, len(data) - 1, len(data) - 32, rng.randrange(len(data))])
    del data[size:]
    return f"cut to {size} bytes"


def cut_out(rng: random.Random, data: bytearray) -> str:
    start, size = _range(rng, data)
    del data[start : start + size]
    return f"took out {size} bytes from {start}"


def insert(rng: random.Random, data: bytearray) -> str:
    start, size = _range(rng, data)
    data[start:start] = rng.randbytes(size)
    return f"put {size} bytes in at {start}"


def append(rng: random.Random, data: bytearray) -> str:
    size = rng.choice([1, 32, 4096])
    data += rng.choice([bytes(size), rng.randbytes(size), bytes(data[-size:]), bytes(data)])
    return "appended some"


def swap(rng: random.Random, data: bytearray) -> str:
    size = rng.choice([1, 64, 512, 4096])
    a, b = sorted(rng.randrange(max(1, len(data) - size)) for _ in range(2))
    b = max(b, a + size)
    first, second = bytes(data[a : a + size]), bytes(data[b : b + size])
    data[b : b + size], data[a : a + size] = first, second
    return f"swapped {size} bytes at {a} and {b}"


def _range(rng: random.Random, data: bytearray) -> tuple[int, int]:
    # Headers and the trailer are small: a third of the mutations hit each.
    start = rng.choice([rng.randrange(len(data)), rng.randrange(min(4096, len(data))), max(0, len(data) - 32)])
    return start, rng.choice([1, 2, 4, 8, 100, 1024, len(data) // 3])


BYTES = (flip, flip, overwrite, zero, cut, cut_out, insert, append, swap)


# Values of the manifest.

ODD = (
    None, True, -1, 0, 1, 1023, 1025, 2**31, 2**63, 10**30, -(10**30), 0.5, 1e308, float("nan"), "", "x", "../../x",
    "/etc/passwd", "shard-000000-1024.h5", "0" * 64, "é\u0000", [], {}, [[]], {"x": 1}, "9" * 5000,
)  # fmt: skip
DEEP = 100_000  # levels: far more than a parser can follow


def edit(rng: random.Random, content: dict) -> str:
    """Change one value anywhere, or delete a key, or add one."""
    place, key, path = content, None, []
    while True:
        key = rng.choice(list(place) if isinstance(place, dict) else range(len(place)))
        path.append(str(key))
        inner = place[key]
        if not isinstance(inner, dict | list) or not inner or rng.random() < 0.2:
            break
        place = inner
    where = ".".join(path)
    value = place[key]
    way = rng.randrange(5)
    if way == 0:
        del place[key]
        return f"deleted {where}"
    if way == 1 and isinstance(value, int) and not isinstance(value, bool):
        place[key] = value + rng.choice([-1024, -1, 1, 1024, 10**12])
    elif way == 1 and isinstance(value, str) and value:
        place[key] = value[:-1] + chr(ord(value[-1]) ^ 1)
    elif way == 2 and isinstance(value, list) and len(value) > 1:
        rng.shuffle(value)
    elif way == 2 and isinstance(place, dict):
        place[rng.choice(["x", "", "é", "digest ", "first"])] = deepcopy(rng.choice(ODD))
        return f"added beside {where}"
    elif way == 3 and isinstance(place, list):
        place.append(deepcopy(rng.choice([value, *ODD])))
        return f"added after {where}"
    else:
        place[key] = deepcopy(rng.choice(ODD))
    return f"{where} from {value!r:.40} to {place[key]!r:.40}"


def deepen(rng: random.Random, text: str) -> str:
    """Brackets within brackets in place of the first value."""
    opened, closed = rng.choice([("[", "]"), ('{"x":', "}")])
    return text.replace("1", opened * DEEP + "1" + closed * DEEP, 1)


def sealed(content: dict) -> dict:
    """With a digest that fits."""
    content.pop("digest", None)
    try:
        content["digest"] = hashlib.sha256(canonical(content).encode()).hexdigest()
    except (UnicodeEncodeError, ValueError):  # no text that JSON could hold
        content["digest"] = ""
    return content


# Arrays of a shard that is sealed again.


def alter(rng: random.Random, block: Block) -> tuple[str, Block]:
    """A block with another value in one of its arrays."""
    arrays = {name: array.copy() for name, array in block.named()}
    name = rng.choice(list(arrays))
    array = arrays[name]
    row, other = rng.sample(range(len(array)), 2)
    way = rng.choice(["value", "rows", "all"])
    if way == "rows":
        array[[row, other]] = array[[other, row]]
    elif way == "all":
        array[:] = np.roll(array, 1, axis=0)
    elif name == "text":
        array[row] = rng.choice([b"", b"A", b"BC", b"AAA", b"\xff"])
    elif name == "parameters":
        field = rng.choice(array.dtype.names)
        array[field][row] = rng.choice([0, 1, 7, array[field][row] + 1])
    else:
        flat = array.reshape(len(array), -1)
        column = rng.randrange(flat.shape[1])
        flat[row, column] = flat[row, column] ^ rng.choice([1, 2, 128 if name == "images" else 3])
    return f"{way} of {name}", Block(**arrays)


def forge(rng: random.Random, folder: Path, blocks: list[Block], level: int) -> str:
    """Seal a shard again that holds something else.

    level 0: its own block digests, the manifest's sha256 and content are the old ones; 1: the manifest has
    the new sha256; 2: and all digests fit, so that only drawing again can tell.
    """
    content = json.loads((folder / MANIFEST).read_text())
    line = rng.choice(content["shards"])
    path = folder / line["name"]
    index, _ = parse_name(path.name)
    with Shard(path) as shard:
        options = {"index": index, "first": shard.first, "identity": shard.identity}
        old = [bytes.fromhex(digest) for digest in shard.digests]
    what, block = alter(rng, blocks[index])
    while block.digest() == blocks[index].digest():  # it swapped equal rows, or the like
        what, block = alter(rng, blocks[index])
    if rng.random() < 0.2:
        what, block = "an attribute", blocks[index]
        options |= rng.choice([
            {"first": options["first"] + 1024}, {"index": index + 1}, {"identity": options["identity"] + " "},
            {"identity": options["identity"].replace('"seed":7', '"seed":8')}, {"identity": ""},
        ])  # fmt: skip
        if rng.random() < 0.2:
            old = [bytes(32)]
    path.unlink()
    apart = folder.with_name("forged")
    shutil.rmtree(apart, ignore_errors=True)
    apart.mkdir()
    real = Block.digest
    if level < 2:
        Block.digest = lambda _: old[0]
    try:
        record = write_shard(apart, blocks=[block], run="forged", **options)
    finally:
        Block.digest = real
    (apart / record.name).rename(path)
    if level:
        line |= {"bytes": record.bytes, "sha256": record.sha256}
    if level == 2:
        line["content"] = record.content
        digests = []
        for one in content["shards"]:
            with Shard(folder / one["name"]) as shard:
                digests += map(bytes.fromhex, shard.digests)
        content["content"] = combined(digests)
    if level:
        (folder / MANIFEST).write_text(json.dumps(sealed(content)))
    return f"{what}, level {level}"


# What is made of it.


def found(folder: Path, redraw: bool) -> str:
    """What verify says first; '' if nothing."""
    try:
        require_dataset(folder, drawing=redraw)
        there = inventory(folder)
        recipe = recipe_of(there) if redraw else None
        verdict = judge(there, [prove(job) for job in proof_jobs(there, recipe)], redrawn=redraw)
    except CaptchasError as error:
        return f"{type(error).__name__}: {error}"
    return ", ".join(f"{finding.what} {finding.state}: {finding.reason}" for finding in verdict.findings[:2])


def same(got: Block, blocks: Block) -> bool:
    return all(a.dtype == b.dtype and np.array_equal(a, b) for a, b in zip(got, blocks, strict=True))


def doors(folder: Path, whole: Block, rng: random.Random) -> dict[str, Callable[[], bool]]:
    """Ways to read pictures; each says whether they are the right ones."""

    def at_once() -> bool:
        return same(Dataset(folder)[:], whole)

    def one() -> bool:
        row = rng.randrange(len(whole.images))
        picture = Dataset(folder)[row]
        height, width = whole.parameters[row]["height"], whole.parameters[row]["width"]
        return (
            np.array_equal(picture.image, whole.images[row, :height, :width])
            and picture.text.encode() == whole.text[row]
            and np.array_equal(picture.boxes, whole.boxes[row, : len(picture.text)])
        )

    def batches() -> bool:
        return _joined(Dataset(folder).batches(700, threads=1), whole)

    def shuffled() -> bool:
        order = np.arange(len(whole.images))
        parts = list(Dataset(folder).batches(5000, shuffle=3, buffer=2, threads=2))
        rows = Dataset(folder.with_name("whole")).batches(5000, shuffle=3, buffer=2, threads=1)
        return len(parts) == 1 and len(parts[0].images) == len(order) and same(parts[0], next(rows))

    def in_blocks() -> bool:
        return _joined(Dataset(folder).blocks(), whole)

    def split() -> bool:
        return _joined(Dataset(folder).blocks(split="test"), whole.rows(whole.split == 2))

    def shard() -> bool:
        for path in filter(lambda path: parse_name(path.name), folder.iterdir()):
            with Shard(path) as one:
                for number, block in enumerate(one):  # by itself a shard knows its place, whatever its name
                    first = one.first + number * BLOCK
                    if not same(block, whole.rows(slice(first, first + len(block.images)))):
                        return False
        return True

    ways = (at_once, one, batches, shuffled, in_blocks, split, shard)
    return {way.__name__: way for way in ways}


def _joined(parts, whole: Block) -> bool:
    got = list(parts)
    return bool(got) and same(Block(*map(np.concatenate, zip(*got, strict=True))), whole)


def mutate(rng: random.Random, folder: Path, blocks: list[Block], kind: str) -> str:
    """Change the dataset in `folder`; what was done."""
    if kind == "sealed arrays":
        return forge(rng, folder, blocks, rng.randrange(3))
    if kind == "shard bytes":
        paths = sorted(path for path in folder.iterdir() if parse_name(path.name))
        if rng.random() < 0.05:
            a, b = rng.sample(paths, 2)
            a_bytes, b_bytes = a.read_bytes(), b.read_bytes()
            a.write_bytes(b_bytes)
            b.write_bytes(a_bytes)
            return f"swapped {a.name} and {b.name}"
        path = rng.choice(paths)
    else:
        path = folder / MANIFEST
    if kind.endswith("bytes"):
        data = bytearray(path.read_bytes())
        what = rng.choice(BYTES)(rng, data)
        path.write_bytes(data)
        return f"{path.name}: {what}"
    text = path.read_text()
    if rng.random() < 0.02:
        path.write_text(deepen(rng, text))
        return f"{DEEP} levels"
    content = json.loads(text)
    what = "; ".join(edit(rng, content) for _ in range(rng.choice([1, 1, 1, 2, 5])))
    path.write_text(json.dumps(sealed(content) if kind.startswith("sealed") else content))
    return what


def trial(rng: random.Random, place: Path, whole: Block, blocks: list[Block], kind: str) -> dict:
    folder = place / "d"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(place / "whole", folder)
    what = mutate(rng, folder, blocks, kind)
    line = {"kind": kind, "what": what}
    if unchanged(folder, place / "whole"):
        return line | {"equal": True}
    if kind == "sealed manifest values":
        line["recorded"] = _rest(folder) == _rest(place / "whole")
    crashed = {}
    line["found"] = line["redrawn"] = ""
    for name, redraw in (("found", False), ("redrawn", True)):
        if not line["found"]:
            try:
                line[name] = found(folder, redraw)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is what is looked for
                crashed[name] = f"{type(error).__name__}: {error}"[:300]
    line["read"] = {}
    if rng.random() < 0.5:  # else this process remembers what it has proven of the files before
        proven.prove.cache_clear()
    for name, door in doors(folder, whole, rng).items():
        try:
            line["read"][name] = "right" if door() else "wrong"
        except CaptchasError as error:
            line["read"][name] = type(error).__name__
        except Exception as error:  # noqa: BLE001
            crashed[name] = f"{type(error).__name__}: {error}"[:300]
    return line | {"crashed": crashed}


def _rest(folder: Path) -> dict:
    """A manifest without what it only records."""
    try:
        content = json.loads((folder / MANIFEST).read_text())
    except (ValueError, RecursionError):
        return {}
    return {key: value for key, value in content.items() if key not in RECORDED and value is not None}


def unchanged(folder: Path, whole: Path) -> bool:
    """The same bytes; of a manifest the same values."""
    for path in whole.iterdir():
        other = (folder / path.name).read_bytes()
        if other == path.read_bytes():
            continue
        try:
            if path.name != MANIFEST or json.loads(other) != json.loads(path.read_bytes()):
                return False
        except (ValueError, RecursionError):
            return False
    return True


def main() -> None:
    """Try the mutations of the numbers that were given."""
    parser = argparse.ArgumentParser()
    parser.add_argument("place", type=Path)
    parser.add_argument("seed", type=int)
    parser.add_argument("first", type=int)
    parser.add_argument("last", type=int)
    chosen = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    blocks = list(Dataset(chosen.place / "whole").blocks())
    whole = Block(*map(np.concatenate, zip(*blocks, strict=True)))
    for number in range(chosen.first, chosen.last):
        print(number, flush=True)
        rng = random.Random(f"{chosen.seed} {number}")
        print(json.dumps(trial(rng, chosen.place, whole, blocks, KINDS[number % len(KINDS)])), flush=True)


if __name__ == "__main__":
    main()
