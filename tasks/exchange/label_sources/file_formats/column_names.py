"""What tables call the column of pictures and the column of labels."""

import re
import shlex

PATH_COLUMNS = (
    "path", "file", "filename", "filepath", "name", "image", "img", "imagename", "imagepath", "imagefile", "imageid",
    "imgname", "imgpath", "picture", "pic", "photo", "ocr", "source", "src", "key", "url", "uri", "id", "index",
)  # fmt: skip
LABEL_COLUMNS = (
    "label", "word", "words", "text", "labels", "texts", "solution", "answer", "code", "captcha", "captchatext",
    "captchacode", "captchalabel", "value", "target", "truth", "groundtruth", "gt", "transcription", "transcript",
    "caption", "class", "classname", "string", "result", "content", "output", "plaintext", "labeltext", "letters",
    "characters", "chars", "digits", "phrase", "y", "letter", "digit", "character", "char", "symbol",
)  # fmt: skip


def plain_name(column: str) -> str:
    """Return the last part of a column's name that is no number, in small letters and digits."""
    parts = [part for part in column.split(".") if part and not part.isdigit()]
    return re.sub(r"[\W_]", "", parts[-1].lower()) if parts else ""


def typed(option: str, value: object) -> str:
    """Return an option with its value as a shell takes it: a value with blanks stands in quotes."""
    return f"--{option} {shlex.quote(str(value))}"
