"""A deep model's record in sentences, for people."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from storage.shards.shard import BLOCK
from tasks.rates import Rate

Record = Mapping[str, Any]
_MOST_NAMED = 8  # profiles that a sentence names


def _rate(content: Record) -> str:
    return str(Rate(content["right"], content["n"]))


def _names(names: Sequence[str]) -> str:
    return ", ".join(names[:_MOST_NAMED]) + (f" and {len(names) - _MOST_NAMED} more" * (len(names) > _MOST_NAMED))


def _learnt(record: Record) -> str:
    stored = [f"{data['name']} ({data['count']:,} pictures)" for data in record.get("datasets", ())]
    drawn = [source["draw"]["name"] for source in record["sources"] if "draw" in source]
    parts = [_names(stored)] if stored else []
    parts += [f"pictures drawn as it learnt: {_names(drawn)}"] if drawn else []
    faces = [len(source["varied"]["faces"]) for source in record["sources"] if "varied" in source]
    parts += [f"profiles drawn at random, another each {BLOCK:,} pictures, in {number:,} faces" for number in faces]
    changed = "changed at random" if record["settings"]["moved"] else "as they are"
    return f"{'; '.join(parts)}; {changed}, {record['pictures']:,} seen with repetition"


def _begun(record: Record) -> str:
    begun = record["from"]
    return f"{begun['name']}" + (f", which saw {begun['pictures']:,} pictures" if "pictures" in begun else "")


def _averaged(record: Record) -> str:
    return (
        ", then ".join(str(model["name"]) for model in record["averaged_with"])
        + "; each time half way between the weights"
    )


def _right(record: Record) -> str:
    rates = [
        f"{name}: " * (len(record["scores"]) > 1) + _rate(found["none"])
        + (f", with the dictionary {_rate(found['probability'])}" if "probability" in found else "")
        for name, found in record["scores"].items()
    ]  # fmt: skip
    said = "; ".join(rates[:_MOST_NAMED]) + (f"; and {len(rates) - _MOST_NAMED} more" * (len(rates) > _MOST_NAMED))
    if "cautious_on" in record:  # whoever fits the confidence again measures again, on pictures of another seed
        said += f"; on drawings of seed {record['cautious_on']['seed']}"
    return said


def _trained(record: Record) -> str:
    settings = record["settings"]
    budget = f"{settings['minutes']:g} minutes" if settings["minutes"] else f"{settings['steps']:,} steps"
    return (
        f"in {record['seconds']:,.0f} s (budget {budget}) with seed {settings['seed']}: {record['steps']:,} steps of "
        f"{settings['batch']} pictures, learning rate {settings['rate']:g}"
    )


def _network(record: Record) -> str:
    shape = record["shape"]
    channels = ", ".join(map(str, shape["channels"]))
    return (
        f"pictures {shape['height']} px high and at most {shape['widest']} px wide; {channels} channels, then "
        f"{shape['context']} over columns; cases {'alike' if record['folded'] else 'apart'}"
    )


def _confidence(record: Record) -> str:
    curves = " and ".join(f"with{'out' * (name == 'none')} a dictionary" for name in record["calibration"])
    cautious = "; more cautious on pictures unlike those it learnt from" * ("cautious" in record)
    return f"calibrated {curves}{cautious}"


def _made(record: Record) -> str:
    return ", ".join(f"{name} {number}" for name, number in record["software"].items())


# By subject: the keys that the sentence replaces, and the sentence.
DEEP_SENTENCES: dict[str, tuple[tuple[str, ...], Callable[[Record], str]]] = {
    "learnt from": (("datasets", "sources", "pictures"), _learnt),
    "begun with": (("from",), _begun),
    "averaged with": (("averaged_with",), _averaged),
    "words right": (("scores",), _right),
    "trained": (("settings", "seconds", "steps", "curve"), _trained),
    "network": (("shape", "canvas", "folded", "format", "reader"), _network),
    "confidence": (("calibration", "cautious", "cautious_on"), _confidence),
    "made with": (("software",), _made),
}
