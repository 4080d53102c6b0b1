"""A model's record in sentences, for people."""

from collections.abc import Callable, Mapping
from typing import Any

from flows.describing.about_deep_model import DEEP_SENTENCES
from flows.reporting.lines import readable
from storage.learnt_texts import TEXTS, learnt_texts
from tasks.rates import Rate
from tasks.readers import told_alphabet, told_length
from tasks.reading.ranking import Ranking

Record = Mapping[str, Any]
_WORDS = {"web2": "English words (web2)", "list": "words of a list", "": "any strings"}
_CURVES = {Ranking.NONE.value: "without a dictionary", Ranking.PROBABILITY.value: "with a dictionary"}


def in_sentences(record: Record) -> dict[str, str | None]:
    """Return what replaces the record of `tasks.models.describe` on a terminal: a sentence a subject.

    Keys that no sentence covers, or that are not as this version writes them, stay as they are.
    """
    said: dict[str, str | None] = {}
    sentences = _OF_BOTH | DEEP_SENTENCES if record.get("reader") == "deep" else _SENTENCES
    for subject, (keys, sentence) in sentences.items():
        try:
            text = sentence(record)
        except (KeyError, TypeError, ValueError, AttributeError):
            continue
        said |= dict.fromkeys(keys)
        said[subject] = text
    return said


def _rate(content: Record) -> str:
    return str(Rate(content["right"], content["n"]))


def _file(record: Record) -> str:
    return f"{readable(record['bytes'])} bytes, sha256 {record['sha256']}"


def _reads(record: Record) -> str:
    return f"{len(record['classes'])} letters: {record['classes']}"


def _learnt(record: Record) -> str:
    datasets, marked = record["datasets"], record["marked"]
    names = ", ".join(f"{data['name']} ({data['count']:,} pictures)" for data in datasets)
    return (
        f"{record['pictures']:,} pictures from {names}; all letters were found in {_rate(marked)} of these pictures: "
        f"{record['letters']:,} letters and {record['spans']:,} spans in all"
    )


def _texts(record: Record) -> str:
    return "; ".join(
        f"{told_length(texts.length)} of {told_alphabet(texts.alphabet)}, {_WORDS[texts.words]}"
        for texts in learnt_texts({TEXTS: record[TEXTS]})
    )


def _trained(record: Record) -> str:
    settings, used = record["settings"], record["parameters"]
    layers = " and ".join(str(size) for size in settings["hidden"])
    without = settings["leave_out"]
    return (
        f"in {record['seconds']:,.0f} s with seed {settings['seed']}: {record['shows']:,} spans shown to a network "
        f"with {layers} hidden units, by {used['solver']} in batches of {used['batch_size']}, learning rate "
        f"{used['learning_rate_init']}" + (f"; faces left out: {', '.join(without)}" if without else "")
    )


def _gate(record: Record) -> str:
    return f"lets by {_rate(record['gate_passes'])} of the true letters (bound {record['gate']:.3f})"


def _confidence(record: Record) -> str:
    curves = [_CURVES[name] for name in record["calibration"]]
    return f"calibrated {' and '.join(curves)}" if curves else "not calibrated"


def _made(record: Record) -> str:
    versions = ", ".join(f"{name} {number}" for name, number in record["software"].items())
    return f"{versions}; features version {record['features']}"


# By subject: the keys that the sentence replaces, and the sentence.
_SENTENCES: dict[str, tuple[tuple[str, ...], Callable[[Record], str]]] = {
    "file": (("bytes", "sha256"), _file),
    "reads": (("classes",), _reads),
    "learnt from": (("datasets", "pictures", "marked", "letters", "spans"), _learnt),
    "texts": ((TEXTS,), _texts),
    "right on validation": (("validation",), lambda record: f"{_rate(record['validation'])} of the words"),
    "trained": (("settings", "shows", "seconds", "parameters"), _trained),
    "gate": (("gate_passes", "gate"), _gate),
    "confidence": (("calibration",), _confidence),
    "made with": (("software", "features"), _made),
}
_OF_BOTH = {subject: _SENTENCES[subject] for subject in ("file", "reads", "texts")}
