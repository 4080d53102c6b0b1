"""Give every file of a folder its label, or the reason why it has none."""

import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from tasks.exchange.label_sources.companions import companions
from tasks.exchange.label_sources.picture_index import ListedLabels
from tasks.exchange.label_sources.written_labels import is_unseen, unwrapped
from tasks.exchange.labelling import Labelling, with_zeros
from tasks.exchange.rejects import (
    fault_of,
    remarked,
    require_bare,
    require_decoded,
    require_no_codes,
    require_no_default,
    require_single,
    stand_ins,
    words_for_none,
)


def pair(
    paths: Iterable[str], labelling: Labelling, alphabet: str = "", mended: Counter[str] | None = None
) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Give every file its label.

    Parameters
    ----------
    paths : iterable of str
        Relative to the folder, with forward slashes; undecodable bytes as surrogates.
    alphabet : str
        Characters that labels may have; '' for any.
    mended : Counter, optional
        Counts the labels that were changed, by what was done.

    Returns
    -------
    pairs : list of (path, label)
        In the order of the paths' UTF-8 bytes, without repetition.
    rejects : list of (path, reason)
        The files without a label, and labels without a file.

    Raises
    ------
    BadInput
        The file of labels cannot be read, or names a picture twice; or labels may have lost leading zeros.
    """
    mended = Counter() if mended is None else mended
    source = labelling.source
    unlabelled = (
        f"no label in {source}" if source else f"no label: the name does not match the pattern {labelling.pattern!r}"
    )
    listed: ListedLabels | None = None
    paths = list(paths)
    aside = companions(paths)
    if aside:
        mended["companions"] += len(aside)
        paths = [path for path in paths if path not in aside]
    if source:
        listed = labelling.listed([path for path in paths if path.isascii() or _is_utf8(path)])
        for what, rows in (("turned", listed.turned), ("corrected", listed.corrected)):
            mended[what] += rows
        listed = replace(listed, labels=unwrapped(listed.labels, mended))
        listed = _checked(listed, labelling)
        paths = labelling.only_pictures(paths)
    allowed = frozenset(alphabet)
    pairs: list[tuple[str, str]] = []
    rejects: list[tuple[str, str]] = [
        (path, f"its name says that it is a mask or a thumbnail of {original or 'another picture'}: left out")
        for path, original in aside.items()
    ]
    for path in paths:
        if not path.isascii() and not _is_utf8(path):
            shown = path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
            rejects.append((shown, "the name is not UTF-8; rename it"))
            continue
        raw = listed.labels.get(path) if listed else labelling.label(path)
        label = None if raw is None else labelling.options.tidy(raw)
        reason = (
            (listed.left_out.get(path, unlabelled) if listed else unlabelled)
            if label is None
            else fault_of(label, allowed, listed is not None)
        )
        if raw is None or label is None or reason:
            rejects.append((path, reason))
            continue
        if len(label) < len(raw):
            mended["blanks"] += " " in raw.strip()
            mended["unseen"] += any(map(is_unseen, raw.strip().replace(" ", "")))
        pairs.append((path, sys.intern(label)))
    if listed:
        rejects += listed.strangers.items()
        pairs = with_zeros(pairs, labelling, mended)
    return sorted(pairs), sorted(rejects)


def _checked(listed: ListedLabels, labelling: Labelling) -> ListedLabels:
    """Refuse labels of which all have a fault, and leave out those that stand for none."""
    labels, source = list(listed.labels.values()), labelling.source
    require_single(labels, source)
    require_decoded(labels, source)
    no_answers, with_remarks = stand_ins(labels), remarked(labels)
    if not labelling.options.columns:
        require_no_codes(labels, source)
        require_bare(labels, source)
        if labelling.files:
            require_no_default([label for label in labels if label.strip() not in no_answers], source)
        no_answers |= words_for_none(labels)
    gone = {path: label for path, label in listed.labels.items() if label.strip() in no_answers | with_remarks}
    kept = {path: label for path, label in listed.labels.items() if path not in gone}
    reasons = {
        path: f"its label {label!r} has a remark; write only what the picture shows"
        if label.strip() in with_remarks else f"its label {label!r} stands for none"
        for path, label in gone.items()
    }  # fmt: skip
    return replace(listed, labels=kept, left_out=listed.left_out | reasons)


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
