"""Lines that fit a terminal."""

from flows.shell.saying import broken


def test_lines_break_between_words_and_count_the_columns_of_wide_letters():
    assert broken("one two three", 7) == ["one two", "three"]
    assert broken("one two three", 9, "  ") == ["one two", "  three"]
    assert broken("漢字 漢字 漢字", 9) == ["漢字 漢字", "漢字"]
    assert broken("e\u0301e\u0301 e\u0301e\u0301", 5) == ["e\u0301e\u0301 e\u0301e\u0301"]


def test_paths_and_blanks_stay_as_they_are():
    assert broken("see /a/very/long/path now", 10) == ["see", "/a/very/long/path", "now"]
    assert broken("a  b", 80) == ["a  b"]
    assert broken("", 80) == [""]
