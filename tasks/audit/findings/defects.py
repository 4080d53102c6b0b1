"""Look for the defects of a CAPTCHA that need no attacker: the first part of an audit."""

from collections.abc import Callable, Sequence
from pathlib import Path

from storage.dataset import Dataset
from tasks.audit.attackers.answers import compared_as
from tasks.audit.findings.blank_letters import find_blank
from tasks.audit.findings.colour_defects import find_colour
from tasks.audit.findings.files.giveaways import find_giveaways
from tasks.audit.findings.likeness import find_alike
from tasks.audit.findings.lost_places import find_lost
from tasks.audit.findings.measuring.letters import cut_letters
from tasks.audit.findings.measuring.sampled import Sampled, take_sample
from tasks.audit.findings.picture_defects import find_border, find_ground, find_variation
from tasks.audit.findings.texts.check_letters import find_check
from tasks.audit.findings.texts.ignored_texts import NOT_READ, Readings, find_ignored
from tasks.audit.findings.texts.lengths import find_length
from tasks.audit.findings.texts.repeated_texts import find_repeats, pool_of
from tasks.audit.findings.texts.text_defects import explained, find_entropy, find_frequencies
from tasks.audit.findings.texts.unfitting_labels import find_unfitting
from tasks.audit.schema import Finding
from tasks.profiles.profile import Profile

_ORDER = {"high": 0, "low": 1, "unknown": 2, "none": 3}


def find_defects(
    dataset: Dataset, profile: Profile | None, sources: Sequence[Path] = (), fold_case: bool = False,
    readings: Readings = NOT_READ,
) -> list[Finding]:  # fmt: skip
    """Look for defects in a dataset's texts and pictures, and in the files that they come from.

    Parameters
    ----------
    profile : Profile, optional
        Of which the dataset was drawn.
    sources : sequence of Path
        The owner's files, or folders of them, for metadata, names and SVG.
    fold_case : bool
        Upper and lower case count alike, so that a text has fewer bits and comes again more often.
    readings : Readings, optional
        What readers saw in the unseen pictures, by which a text that is ignored is found under noise.

    Returns
    -------
    list of Finding
        One of each kind, the most severe first: `border`, `alike`, `frequencies`, `entropy`, `length`, `repeats`,
        `answer`, `colour`, `variation`, `ground`; `blank` if a letter is not drawn, `lost` if
        letters at some places are not, `frames` if files have further pictures, `views` if letters stand clear
        in others, `ignored` if pictures do not depend on their texts, and `labels` if labels do not fit them.

    Raises
    ------
    Damaged
    """
    sample = take_sample(dataset)
    alphabet = profile.alphabet if profile else str(dataset.manifest.profile.get("alphabet", ""))
    texts = sample.every_text
    letters = cut_letters(sample)
    as_ = compared_as(fold_case)
    asked, told = "".join(dict.fromkeys(as_(alphabet))), [as_(text) for text in texts]
    repeats = find_repeats(told, asked, _different(dataset, sample), _disagreeing(sample, as_))
    entropy = find_entropy(told, asked, pool_of(repeats), fold_case, find_check(told))
    found = [
        find_border(sample, letters),
        find_alike(letters, alphabet, texts, as_),
        find_frequencies(texts, alphabet, explained(entropy, repeats)),
        entropy,
        find_length(
            texts, [(image.shape[1], len(text)) for image, text in zip(sample.pictures, sample.texts, strict=True)]
        ),
        repeats,
        find_colour(sample),
        find_variation(sample, letters),
        find_ground(sample),
        *find_blank(sample),
        *find_lost(sample),
        *find_ignored(sample.pictures, sample.texts, readings, as_),
        *find_unfitting(readings, texts, as_),
        *find_giveaways(sources, texts, ((), ()) if profile else (sample.pictures, sample.texts)),
    ]
    return sorted(found, key=lambda finding: _ORDER[finding["severity"]])


def _different(dataset: Dataset, sample: Sampled) -> tuple[int, int]:
    """Return how many pictures of the dataset differ, and how many there are; else those of the sample."""
    distinct = dataset.manifest.statistics.get("distinct")
    if isinstance(distinct, dict) and isinstance(distinct.get("pictures"), int):
        return int(distinct["pictures"]), len(dataset)
    return len({_key(sample, k) for k in range(len(sample.pictures))}), len(sample.pictures)


def _disagreeing(sample: Sampled, as_: Callable[[str], str]) -> int:
    """Count pictures of the sample that equal an earlier picture with another text."""
    first: dict[tuple[tuple[int, ...], bytes], str] = {}
    texts = map(as_, sample.texts)
    return sum(first.setdefault(_key(sample, k), text) != text for k, text in enumerate(texts))


def _key(sample: Sampled, number: int) -> tuple[tuple[int, ...], bytes]:
    picture = sample.pictures[number]
    return picture.shape, picture.tobytes()
