import hashlib
import json
import random
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from storage.errors import Damaged, NotThere
from storage.shards.manifest import MANIFEST, Manifest
from storage.texts import canonical

GOLDEN = Manifest.read(Path(__file__).parents[2] / "golden" / "v1" / "book")
WHOLE = replace(
    GOLDEN,
    profile=GOLDEN.profile | {"name": "größe", "shear": {"start": -3, "stop": 5, "step": 1}},
    seed=2**63 - 1,
    count=3,
    software={"pillow": "13.0"},
    statistics=GOLDEN.statistics | {"splits": {"train": 2, "validation": 0, "test": 1}},
    shards=[{"name": "shard-000000-3.h5", "first": 0, "count": 3, "bytes": 9, "sha256": "5" * 64, "content": "6" * 64}],
)


def put(folder: Path, content) -> None:
    """A manifest whose digest is right, whatever it says."""
    content = {key: value for key, value in content.items() if key != "digest"}
    digest = hashlib.sha256(canonical(content).encode()).hexdigest()
    (folder / MANIFEST).write_text(json.dumps(content | {"digest": digest}))


def test_round_trip_and_nothing_beside_it(tmp_path):
    folder = tmp_path / "new"
    WHOLE.write(folder, "run")
    assert Manifest.read(folder) == WHOLE
    assert [path.name for path in folder.iterdir()] == [MANIFEST]
    later = replace(WHOLE, seed=4)
    later.write(folder)
    assert Manifest.read(folder) == later
    assert [path.name for path in folder.iterdir()] == [MANIFEST]


def test_it_is_json_for_people_with_a_digest_over_the_rest(tmp_path):
    WHOLE.write(tmp_path)
    text = (tmp_path / MANIFEST).read_text(encoding="utf-8")
    assert "größe" in text and text.endswith("}\n")
    content = json.loads(text)
    digest = content.pop("digest")
    assert content == asdict(WHOLE)
    spelled = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert digest == hashlib.sha256(spelled.encode()).hexdigest()
    assert (content["format"], content["block"], content["digests"]) == (1, 1024, "blake3")


def test_the_order_of_keys_and_the_white_space_do_not_matter(tmp_path):
    WHOLE.write(tmp_path)
    content = json.loads((tmp_path / MANIFEST).read_text())
    (tmp_path / MANIFEST).write_text(json.dumps(dict(reversed(content.items())), indent=7))
    assert Manifest.read(tmp_path) == WHOLE


def test_canonical_json_of_equal_values_is_equal_text():
    assert canonical({"b": [1, None], "a": "é"}) == '{"a":"é","b":[1,null]}' == canonical({"a": "é", "b": [1, None]})


def test_no_manifest_is_no_dataset(tmp_path):
    for folder in (tmp_path, tmp_path / "nothing"):
        with pytest.raises(NotThere, match=r"no complete dataset there \(no manifest\.json\)") as error:
            Manifest.read(folder)
        assert str(folder) in str(error.value)


@pytest.mark.parametrize(
    ("old", "new"), [('"seed": 9223372036854775807', '"seed": 1'), ('"test": 1', '"test": 2'), ("größe", "grösse")]
)
def test_an_edited_one_is_damaged(tmp_path, old, new):
    WHOLE.write(tmp_path)
    text = (tmp_path / MANIFEST).read_text()
    assert text.count(old) == 1
    (tmp_path / MANIFEST).write_text(text.replace(old, new))
    with pytest.raises(Damaged, match=r"manifest\.json: was changed after it was written"):
        Manifest.read(tmp_path)


@pytest.mark.parametrize("other", [0, 3, True, "1", None])
def test_another_format_names_both_versions(tmp_path, other):
    put(tmp_path, asdict(WHOLE) | {"format": other, "new_in_3": 1})
    with pytest.raises(Damaged, match=rf"format {other!r}; this version reads formats 1 and 2"):
        Manifest.read(tmp_path)


@pytest.mark.parametrize("key", ["count", "shards", "identity"])
def test_a_missing_field_is_damaged(tmp_path, key):
    content = asdict(WHOLE)
    del content[key]
    put(tmp_path, content)
    with pytest.raises(Damaged, match=key):
        Manifest.read(tmp_path)


@pytest.mark.parametrize(
    "wrong",
    [{"first": "0"}, {"first": -1}, {"count": True}, {"count": 10**30}, {"bytes": 1.5}, {"bytes": None}, {"name": 7},
     {"sha256": None}, {"content": ["x"]}, {"colour": "red"}],
    ids=str,
)  # fmt: skip
def test_a_line_of_other_types_is_damaged_whatever_its_digest_says(tmp_path, wrong):
    line = {"name": "shard-000000-1024.h5", "first": 0, "count": 1024, "bytes": 9, "sha256": "0" * 64,
            "content": "0" * 64}  # fmt: skip
    last = line | {"name": "shard-000001-5.h5", "first": 1024, "count": 5}
    put(tmp_path, asdict(WHOLE) | {"count": 1029, "shards": [line, last]})
    assert Manifest.read(tmp_path).shards == [line, last]
    put(tmp_path, asdict(WHOLE) | {"count": 1029, "shards": [line, last | wrong]})
    with pytest.raises(Damaged, match=r"cannot be read as a manifest \(shards\[1\](\.\w+)?: must be "):
        Manifest.read(tmp_path)


@pytest.mark.parametrize(
    "wrong",
    [{"count": -1}, {"count": 1.0}, {"count": 1 << 63}, {"shards": {}}, {"shards": None}, {"shards": ["x"]},
     {"block": 2048}, {"digests": "sha256"}],
    ids=str,
)  # fmt: skip
def test_a_count_lines_or_digests_that_no_dataset_has_are_damaged(tmp_path, wrong):
    put(tmp_path, asdict(WHOLE) | wrong)
    with pytest.raises(Damaged, match=r"manifest\.json: "):
        Manifest.read(tmp_path)


def test_brackets_without_end_are_damaged(tmp_path):
    """More levels than a parser can follow."""
    (tmp_path / MANIFEST).write_text("[" * 100_000 + "]" * 100_000)
    with pytest.raises(Damaged, match="cannot be read as a manifest"):
        Manifest.read(tmp_path)


def test_an_unknown_field_is_damaged(tmp_path):
    put(tmp_path, asdict(WHOLE) | {"colour": "red"})
    with pytest.raises(Damaged, match="colour"):
        Manifest.read(tmp_path)


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"not JSON", b"null", b"[]", b"7", b'"text"', b"{}", b'{"digest": 3}', b"\xff\xfe\x00", b"\0" * 500],
)
def test_what_is_no_manifest_is_damaged(tmp_path, data):
    (tmp_path / MANIFEST).write_bytes(data)
    with pytest.raises(Damaged, match=r"manifest\.json: "):
        Manifest.read(tmp_path)


def test_a_folder_of_that_name_is_damaged(tmp_path):
    (tmp_path / MANIFEST).mkdir()
    with pytest.raises(Damaged, match="cannot be read as a manifest"):
        Manifest.read(tmp_path)


def test_no_flipped_bit_or_cut_is_read_as_something_else(tmp_path):
    WHOLE.write(tmp_path)
    data = (tmp_path / MANIFEST).read_bytes()
    chance = random.Random(11)
    for trial in range(600):
        changed = bytearray(data)
        if trial % 3:
            changed[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        else:
            del changed[chance.randrange(len(data) - 1) :]
        (tmp_path / MANIFEST).write_bytes(changed)
        with pytest.raises(Damaged):
            Manifest.read(tmp_path)
