import json
from dataclasses import FrozenInstanceError, replace
from pathlib import Path

import pytest

from storage.errors import BadInput, NotThere, nearest
from tasks.profiles.built_in import BUILT_IN, find_profile, read_profile
from tasks.profiles.colours import Colours
from tasks.profiles.painting import COLOUR_FIELDS, FLAGS, GRIDS, Ground, Painting
from tasks.profiles.profile import LARGEST_CANVAS, Grid, Ink, Profile, profile_from
from tasks.profiles.ranges import LIMITS

# Each is one field with a value that breaks one rule, and words of that rule.
BROKEN = [
    ("name", "", "letters, digits, - and _ only"),
    ("name", "../up", "letters, digits, - and _ only"),
    ("name", "a b", "letters, digits, - and _ only"),
    ("name", 7, "letters, digits, - and _ only"),
    ("fonts", (), "a list of one or more names or paths"),
    ("fonts", ("",), "a list of one or more names or paths"),
    ("fonts", ("Inter Black", 3), "a list of one or more names or paths"),
    ("fonts", "Inter Black", "a list of one or more names or paths"),
    ("fonts", ("x",) * 1001, "a list of one or more names or paths"),
    ("alphabet", "", "1 to 200 characters"),
    ("alphabet", 26, "1 to 200 characters"),
    ("alphabet", "".join(map(chr, range(0x4E00, 0x4E00 + 201))), "1 to 200 characters"),
    ("alphabet", "ABCAB", "every character once; A, B comes again"),
    ("alphabet", "AB C", "no blank or control characters such as [' ']"),
    ("alphabet", "AB\u00a0", "no blank or control characters"),
    ("alphabet", "AB\x00", "no blank or control characters"),
    ("words", None, "'web2', a path, or '' for random strings"),
    ("length", (0, 4), "[shortest, longest], 1 to 32 characters"),
    ("length", (5, 4), "[shortest, longest], 1 to 32 characters"),
    ("length", (1, 33), "[shortest, longest], 1 to 32 characters"),
    ("length", (4,), "[shortest, longest], 1 to 32 characters"),
    ("length", (1, 2, 3), "[shortest, longest], 1 to 32 characters"),
    ("length", (1.0, 4), "[shortest, longest], 1 to 32 characters"),
    ("length", (True, 4), "[shortest, longest], 1 to 32 characters"),
    ("length", 4, "[shortest, longest], 1 to 32 characters"),
    ("height", 3, "a whole number from 4 to 1024 px"),
    ("height", 1025, "a whole number from 4 to 1024 px"),
    ("height", 30.0, "a whole number from 4 to 1024 px"),
    ("height", True, "a whole number from 4 to 1024 px"),
    ("width", 3, "a whole number from 4 to 1024 px"),
    ("width", "100", "a whole number from 4 to 1024 px"),
    ("font_size", 3, "a whole number from 4 to 500 px"),
    ("font_size", 501, "a whole number from 4 to 500 px"),
    ("left", -1, "a whole number from 0 to 500 px"),
    ("left", 501, "a whole number from 0 to 500 px"),
    ("shear", Grid(-1001, 0), "start <= stop from -1000 to 1000 1/1000 radian, step at least 1"),
    ("shear", Grid(0, 1001), "start <= stop from -1000 to 1000 1/1000 radian, step at least 1"),
    ("shear", Grid(10, 0), "start <= stop from -1000 to 1000 1/1000 radian, step at least 1"),
    ("shear", Grid(0, 10, 0), "start <= stop from -1000 to 1000 1/1000 radian, step at least 1"),
    ("shear", Grid(0, 10.5), "start <= stop from -1000 to 1000 1/1000 radian, step at least 1"),
    ("shear", (0, 10), "a table with start, stop and step"),
    ("scale", Grid(9, 100), "start <= stop from 10 to 400 percent, step at least 1"),
    ("scale", Grid(50, 401), "start <= stop from 10 to 400 percent, step at least 1"),
    ("scale", Grid(50, 100, -10), "start <= stop from 10 to 400 percent, step at least 1"),
    ("scale", 100, "a table with start, stop and step"),
    ("ink", "binary", "'binary' or 'grey'"),
    ("top", -1, "a whole number from 0 to 500 px"),
    ("rotation", Grid(-181, 0), "start <= stop from -180 to 180 degrees, step at least 1"),
    ("rotation", 15, "a table with start, stop and step"),
    ("move_y", Grid(0, 201), "start <= stop from -200 to 200 px, step at least 1"),
    ("move_x", Grid(-201, 0), "start <= stop from -200 to 200 px, step at least 1"),
    ("tracking", Grid(3, 2), "start <= stop from -200 to 200 px, step at least 1"),
    ("overlap", Grid(0, 2, 0), "start <= stop from -200 to 200 px, step at least 1"),
    ("overlap", 3, "a table with start, stop and step"),
    ("wave_y", Grid(-1, 10), "start <= stop from 0 to 1000 1/10 px, step at least 1"),
    ("wave_x", Grid(0, 1001), "start <= stop from 0 to 1000 1/10 px, step at least 1"),
    ("wave_length", Grid(7, 20), "start <= stop from 8 to 4096 px, step at least 1"),
    ("lines", Grid(0, 101), "start <= stop from 0 to 100 lines, step at least 1"),
    ("arcs", None, "a table with start, stop and step"),
    ("line_width", Grid(0, 2), "start <= stop from 1 to 32 px, step at least 1"),
    ("line_ink", Grid(0, 100), "start <= stop from 1 to 100 percent, step at least 1"),
    ("specks", Grid(0, 10_001), "start <= stop from 0 to 10000 specks, step at least 1"),
    ("background", Grid(0, 91), "start <= stop from 0 to 90 percent, step at least 1"),
    ("blur", Grid(0, True), "start <= stop from 0 to 16 passes, step at least 1"),
    ("contrast", 9, "a whole number from 10 (any) to 210 (black on white) tenths"),
    ("contrast", 211, "a whole number from 10 (any) to 210 (black on white) tenths"),
    ("contrast", 30.0, "a whole number from 10 (any) to 210 (black on white) tenths"),
    ("weight", Grid(-40, 40), "so few values that there are at most 64 pairs with those of hollow"),
    ("ground", (), "a list of different ones of flat, gradient, grid, stripes, dots, checks, tiles, texture"),
    ("ground", ("flat",), "a list of different ones of flat"),
    ("ground", (Ground.FLAT, Ground.FLAT), "a list of different ones of flat"),
    ("ground", (Ground.DOTS,), "flat alone, unless there is a pattern_colour to draw others with"),
    ("frame_y", Grid(2, 8), "less than half of the smallest picture, which is 15 px, or it covers all letters"),
    ("frame_x", Grid(8, 8), "less than half of the smallest picture, which is 15 px, or it covers all letters"),
    ("letter_colour", Colours(("#ffffff",)), "another colour than the ground's, unless there is a contrast above 10"),
    ("letter_colour", Colours(("#ffffff", "#ffffff")), "another colour than the ground's"),
    *((name, "#ffffff", "a colour such as '#1f77b4', a list of them, or a table with hue,") for name in COLOUR_FIELDS),
    *((name, 1, "true or false") for name in FLAGS),
    *(
        (name, Grid(LIMITS[name][0] - 1, LIMITS[name][1]), f"start <= stop from {LIMITS[name][0]} to {LIMITS[name][1]}")
        for name in GRIDS
    ),
    *((name, Grid(LIMITS[name][0], LIMITS[name][1] + 1), LIMITS[name][2]) for name in GRIDS),
]


@pytest.mark.parametrize(("field", "value", "rule"), BROKEN, ids=lambda value: repr(value)[:30])
def test_a_broken_rule_is_named_with_field_and_value(field, value, rule):
    with pytest.raises(BadInput) as error:
        Profile(**{"name": "mine", field: value})
    message = str(error.value)
    assert message.startswith(f"profile {value if field == 'name' else 'mine'!r}, {field}: must be ")
    assert rule in message
    assert message.endswith(f"it is {value!r}"[-1000:])  # the middle of a very long message is left out
    assert error.value.exit_code == 2


@pytest.mark.parametrize(
    "told_apart",
    [
        {"contrast": 30},
        {"shadow_x": Grid(1, 1)},
        {"ground": (Ground.DOTS,), "pattern_colour": Colours(("#000000",))},
        {"letter_colour": Colours(("#ffffff", "#000000"))},
        {"ground_colour": Colours(lightness=Grid(0, 100, 100))},
    ],
    ids=lambda fields: "-".join(fields),
)
def test_white_letters_are_drawn_where_something_tells_them_from_the_ground(told_apart):
    assert Profile("white", **({"letter_colour": Colours(("#ffffff",))} | told_apart)).colour


def test_every_field_has_a_broken_rule_above():
    assert {field for field, _, _ in BROKEN} == set(Profile.__dataclass_fields__)


def test_the_largest_values_pass():
    Profile("a-b_C9", length=(32, 32), height=1024, width=1024, font_size=500, left=500, scale=Grid(10, 100, 90))
    Profile("x", height=4, width=4, font_size=4, shear=Grid(-1000, 1000, 1), scale=Grid(10, 400, 1), ink=Ink.GREY)
    Profile("é", alphabet="".join(map(chr, range(0x4E00, 0x4E00 + 200))), fonts=("x",) * 1000)


def test_a_canvas_that_scaling_makes_too_large():
    assert Profile("x", height=256, width=200, scale=Grid(100, 400, 100)).canvas == (LARGEST_CANVAS, 800)
    with pytest.raises(BadInput, match=r"profile 'x', scale: must be at most 1024 x 1024 px .*; this makes 1028 x 800"):
        Profile("x", height=257, width=200, scale=Grid(100, 400, 100))
    # 390 is the largest value on this grid, not 400.
    assert Profile("x", height=262, width=100, scale=Grid(90, 400, 100)).canvas == (1021, 390)


def test_overlap_excludes_tracking():
    with pytest.raises(
        BadInput, match=r"overlap: must be without tracking, which is \{start = 0, stop = 2, step = 1\}"
    ):
        Profile("x", overlap=Grid(1, 3), tracking=Grid(0, 2))


def test_waves_that_would_fold_the_picture():
    Profile("x", wave_y=Grid(0, 100), wave_x=Grid(0, 90), wave_length=Grid(60, 90))
    with pytest.raises(BadInput, match="wave_length: must be longer for waves of 100 and 91 /10 px, or they fold"):
        Profile("x", wave_y=Grid(0, 100), wave_x=Grid(0, 91), wave_length=Grid(60, 90))


def test_which_profiles_are_distorted():
    assert not any(BUILT_IN[name].moves_letters or BUILT_IN[name].adds_noise for name in ("letters", "book", "fonts"))
    assert [(p.name, p.moves_letters, p.adds_noise) for p in BUILT_IN.values() if p.moves_letters or p.adds_noise] == [
        ("jitter", True, False), ("touching", True, False), ("noise", False, True), ("warp", True, False),
        ("hard", True, True), ("colour", True, False), ("faces", True, False), ("hollow", True, False),
        ("ground", True, False), ("wild", True, True),
    ]  # fmt: skip
    assert [p.name for p in BUILT_IN.values() if p.colour] == ["colour", "faces", "hollow", "ground", "wild"]
    assert [p.name for p in BUILT_IN.values() if p.paints] == ["colour", "faces", "hollow", "ground", "wild"]
    assert not Profile("x", line_width=Grid(3, 4), wave_length=Grid(9, 9), rotation=Grid(0, 0, 5)).moves_letters


def test_grids():
    assert Grid(0, 450, 50).values() == (0, 50, 100, 150, 200, 250, 300, 350, 400, 450)
    assert Grid(-5, 6, 5).values() == (-5, 0, 5)
    assert Grid(7, 7).values() == (7,)
    assert Grid(7, 9, 100).values() == (7,)


def test_a_profile_is_frozen_and_hashable():
    with pytest.raises(FrozenInstanceError):
        BUILT_IN["book"].seed = 3
    assert len({BUILT_IN["book"], BUILT_IN["letters"], replace(BUILT_IN["book"])}) == 2


def test_the_built_in_ones_are_the_books():
    book, letters = BUILT_IN["book"], BUILT_IN["letters"]
    assert (book.height, book.width, book.canvas, letters.canvas) == (30, 100, (42, 140), (42, 42))
    assert (book.words, book.length, letters.words, letters.length) == ("web2", (4, 4), "", (1, 1))
    for profile in (book, letters):
        assert profile.shear.values() == tuple(range(0, 451, 50))
        assert profile.scale.values() == tuple(range(50, 141, 10))
        assert profile.ink is Ink.BINARY
        assert find_profile(profile.name) is profile


CUSTOM = Profile(
    "mine", fonts=("Inter Bold", "Play Bold"), alphabet="abcé9", words="list.txt", length=(2, 7), height=40, width=160,
    font_size=25, left=3, shear=Grid(-200, 200, 25), scale=Grid(80, 120), ink=Ink.GREY,
)  # fmt: skip
DISTORTED = replace(
    CUSTOM, name="bent", top=2, rotation=Grid(-9, 9, 3), overlap=Grid(0, 0), wave_y=Grid(5, 20, 5), lines=Grid(1, 1)
)

PAINTED = replace(
    CUSTOM, name="painted", letter_colour=Colours(("#102030",)), ground_colour=Colours(hue=Grid(340, 380)),
    pattern_colour=Colours(("#ffffff", "#eeeeee")), ground=(Ground.TILES, Ground.FLAT), own_colours=True, contrast=45,
    place_x=Grid(0, 100), hollow=Grid(-10, 10, 10),
)  # fmt: skip


@pytest.mark.parametrize("profile", [*BUILT_IN.values(), CUSTOM, DISTORTED, PAINTED], ids=lambda profile: profile.name)
def test_as_dict_and_back(profile):
    content = json.loads(json.dumps(profile.as_dict()))
    later = {"top", *Painting.__dataclass_fields__}
    defaults = {name: field.default for name, field in Profile.__dataclass_fields__.items()}
    # What later versions added is there only where it is not as it was without.
    added = {name for name in later if getattr(profile, name) != defaults[name]}
    assert set(content) == set(Profile.__dataclass_fields__) - later | added
    assert type(profile.as_dict()["ink"]) is str
    assert profile_from(content) == profile


def test_toml_round_trip(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(
        """
        fonts = ["Inter Bold", "Play Bold"]
        alphabet = "abcé9"
        words = "list.txt"
        length = [2, 7]
        height = 40
        width = 160
        font_size = 25
        left = 3
        ink = "grey"
        shear = { start = -200, stop = 200, step = 25 }
        [scale]
        start = 80
        stop = 120
        """,
        encoding="utf-8",
    )
    assert read_profile(path) == CUSTOM  # the name is the file's
    assert find_profile(str(path)) == CUSTOM
    path.write_text(path.read_text().replace("fonts", 'name = "other"\nfonts', 1))
    assert read_profile(path) == replace(CUSTOM, name="other")


def test_based_on_changes_only_what_is_given(tmp_path):
    path = tmp_path / "my-book.toml"
    path.write_text('based_on = "book"\nshear = 100\nscale = { start = 90, stop = 110, step = 10 }')
    assert read_profile(path) == replace(
        BUILT_IN["book"], name="my-book", shear=Grid(100, 100), scale=Grid(90, 110, 10)
    )


def test_distortions_from_toml(tmp_path):
    path = tmp_path / "bent.toml"
    path.write_text(
        'based_on = "touching"\ntop = 3\noverlap = 0\nrotation = { start = -9, stop = 9, step = 3 }\nlines = 1\n'
        "wave_y = { start = 5, stop = 20, step = 5 }\n"
    )
    assert read_profile(path) == replace(
        BUILT_IN["touching"], name="bent", top=3, overlap=Grid(0, 0), rotation=Grid(-9, 9, 3), lines=Grid(1, 1),
        wave_y=Grid(5, 20, 5),
    )  # fmt: skip
    path.write_text("rotation = { start = 0 }")
    with pytest.raises(BadInput, match=r"rotation: must be a table with .*; it is {'start': 0}"):
        read_profile(path)


def test_a_file_by_a_relative_path(tmp_path, monkeypatch):
    (tmp_path / "few.toml").write_text('alphabet = "AB"')
    monkeypatch.chdir(tmp_path)
    assert find_profile("few.toml") == find_profile("./few.toml") == Profile("few", alphabet="AB")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('alphabt = "AB"', "unknown key 'alphabt'; the keys are alphabet, .*did you mean 'alphabet'?"),
        ("zzz = 1", r"unknown key 'zzz'; the keys are alphabet, .*width, words$"),
        ('based_on = "bok"', "based_on: must be one of letters, book, .*-captcha; it is 'bok'; did you mean 'book'?"),
        ("based_on = 3", "based_on: must be one of letters, book, .*-captcha; it is 3"),
        ('based_on = ["book"]', r"based_on: must be one of letters, book, .*-captcha; it is \['book'\]"),
        ("shear = { start = 1 }", "shear: must be a table with start, stop and step; it is {'start': 1}"),
        (
            "shear = { start = 1, stop = 2, stp = 1 }",
            "shear: must be a table with start, stop and step; it is {.*'stp'",
        ),
        ("shear = [1, 2]", r"shear: must be a whole number, or a table such as .*step = 5}; it is \[1, 2\]"),
        ("shear = { start = 0.5, stop = 2 }", "shear: must be start <= stop"),
        ("scale = 0", "scale: must be start <= stop from 10 to 400 percent"),
        ("scale = true", "scale: must be a whole number, or a table such as .*; it is True"),
        ('ink = "blue"', "ink: must be 'binary' or 'grey'; it is 'blue'"),
        ("ink = []", r"ink: must be 'binary' or 'grey'; it is \[\]"),
        ('fonts = "Inter Black"', "fonts: must be a list of one or more names or paths; it is 'Inter Black'"),
        ("length = [1, 2, 3]", "length: must be"),
        ("name = 3", "name: must be letters, digits, - and _ only; it is 3"),
        ("height = 30.5", "height: must be a whole number"),
        ("height = 30\nheight = 31", "cannot be read as TOML"),
        ("not toml", "cannot be read as TOML"),
        (b"name = '\xff'", "cannot be read as TOML .*; save the file as UTF-8"),
        ("a = " + "[" * 9000, "cannot be read as TOML .*recursion"),
        ("height = 1" + "0" * 5000, "cannot be read as TOML .*4300 digits"),
        ("height = 0x" + "f" * 5000, "cannot be read as TOML .*4300 digits"),
    ],
)
def test_a_file_that_breaks_a_rule(tmp_path, text, message):
    path = tmp_path / "mine.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(BadInput, match=message):
        read_profile(path)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(NotThere, match="no such file"):
        find_profile(str(tmp_path / "none.toml"))
    with pytest.raises(BadInput, match=r"cannot be read \(Is a directory\); it is a folder"):
        find_profile(f"{tmp_path}/")
    with pytest.raises(BadInput, match="no file's name has a NUL"):
        find_profile("a\0.toml")


def test_a_file_saved_with_a_byte_order_mark(tmp_path):
    (tmp_path / "mine.toml").write_text("\ufeffbased_on = 'book'")
    assert read_profile(tmp_path / "mine.toml").name == "mine"


def test_a_file_name_that_is_no_profiles_name_asks_for_one(tmp_path):
    path = tmp_path / "my own.toml"
    path.write_text("height = 40")
    with pytest.raises(BadInput, match="name: must be letters, digits, - and _ only; it is 'my own'"):
        read_profile(path)


@pytest.mark.parametrize(
    ("name", "end"),
    [
        ("leters", "; did you mean 'letters'?"),
        ("Book", "; did you mean 'book'?"),
        ("xyzzy", ".toml file"),
        ("", "file"),
    ],
)
def test_an_unknown_profile_names_the_nearest(name, end):
    with pytest.raises(
        BadInput, match=r"must be one of letters, book, .*-captcha, or the path of a \.toml file"
    ) as error:
        find_profile(name)
    assert str(error.value).startswith(f"profile {name!r}: ")
    assert str(error.value).endswith(end)


def test_nearest():
    assert nearest("heigth", ["height", "width"]) == "; did you mean 'height'?"
    assert nearest("qqq", ["height", "width"]) == ""


def test_no_path_is_read_for_a_built_in_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("book").write_text("not toml")
    assert find_profile("book") is BUILT_IN["book"]


def test_colours_and_grounds_from_toml(tmp_path):
    path = tmp_path / "painted.toml"
    path.write_text(
        """
        based_on = "book"
        letter_colour = "#102030"
        ground_colour = {hue = {start = 340, stop = 380}, lightness = 90}
        line_colour = ["#AABBCC", "#000000"]
        pattern_colour = "#ffffff"
        ground = ["tiles", "flat"]
        place_x = 50
        """
    )
    read = read_profile(path)
    assert read.letter_colour == Colours(("#102030",))
    assert read.ground_colour == Colours(hue=Grid(340, 380), lightness=Grid(90, 90))
    assert read.line_colour == Colours(("#aabbcc", "#000000"))
    assert read.ground == (Ground.TILES, Ground.FLAT)
    assert read.place_x == Grid(50, 50)
    for line, rule in (
        (
            'letter_colour = "red"',
            r"letter_colour, colours: must be such as '#1f77b4', with six hexadecimal digits; it is 'red'",
        ),
        (
            "letter_colour = {hue = 720}",
            r"letter_colour, hue: must be a range with start <= stop from 0 to 719 degrees",
        ),
        ("letter_colour = {hue = {stop = 7}}", "letter_colour, hue: must be a table with start, stop and step"),
        ("letter_colour = {tint = 7}", "letter_colour, colours: must be a table with hue, saturation, lightness"),
        ("letter_colour = 7", "letter_colour: must be a colour such as '#1f77b4', a list of them"),
        ('ground = "grass"', "ground: must be a list of different ones of flat, gradient"),
        ('ground = "dots"', r"ground: must be flat alone, unless .*; it is \('dots',\)"),
        ("own_colours = 1", "own_colours: must be true or false; it is 1"),
    ):
        path.write_text(f'based_on = "book"\n{line}\n')
        with pytest.raises(BadInput, match=rule):
            read_profile(path)
