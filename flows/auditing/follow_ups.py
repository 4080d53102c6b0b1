"""What follows from the strongest attacker: defects, why it succeeds, and what the owner might change."""

from collections.abc import Sequence
from pathlib import Path

from prefect import task
from prefect.cache_policies import NO_CACHE

from flows.auditing.attacked import Attacked
from storage.errors import BadInput
from storage.files.places import Place
from tasks.audit.attackers.model_reading import ModelUse, use_of
from tasks.audit.attackers.verdict import strongest
from tasks.audit.schema import Attacker, Finding, WhatIf, Why
from tasks.profiles.profile import Profile
from tasks.shipped import SHIPPED, STRANGERS

LEAST = 5.0  # seconds that a part needs to begin


def find_all_defects(field: Attacked, profile: Profile | None, sources: Sequence[Path]) -> list[Finding]:
    """Look for defects, which need no attacker."""
    found: list[Finding] = field.step("findings", lambda: look_for_defects(field, profile, sources))
    return found


def explain_success(field: Attacked, profile: Profile | None, best: Attacker) -> Why | None:
    """Find what makes the strongest attacker succeed and fail."""
    if field.clock.share("findings") < LEAST:
        field.skip("why", "the budget ended before; give more --minutes")
        return None
    why: Why = field.step("why", lambda: look_for_causes(field, profile, best), best=[best["name"], best["labels"]])
    return why


def try_changes(field: Attacked, profile: Profile | None) -> list[WhatIf]:
    """Change one setting of a profile after the other, and let the strongest model read."""
    if profile is None:
        field.skip(
            "what if", "only a profile can be drawn with another setting; docs/look-alikes.md tells how to write one"
        )
        return []
    readers = [entry for entry in field.entries if _model_of(field, entry) is not None]
    best = strongest(readers)
    if best is None:
        field.skip("what if", "no model could read the pictures")
        return []
    if field.clock.share("what if") < LEAST:
        field.skip("what if", "the budget ended before; give more --minutes")
        return []
    found: list[WhatIf] = field.step(
        "what-if", lambda: draw_changes(field, profile, best), best=[best["name"], best["labels"]]
    )
    return found


@task(cache_policy=NO_CACHE, task_run_name="look for defects")
def look_for_defects(field: Attacked, profile: Profile | None, sources: Sequence[Path]) -> list[Finding]:
    """Look at texts, pictures and files."""
    from tasks.audit.consequences import defects_of
    from tasks.audit.findings.texts.ignored_texts import Readings

    names = [f"{model.stem}-0" for model in (SHIPPED, STRANGERS)]
    rates = [entry["words"]["right"] / entry["words"]["n"] for entry in field.entries if entry["words"]]
    readings = Readings(
        field.unseen.truths, [field.answers[name] for name in names if name in field.answers], max(rates, default=0.0)
    )
    return defects_of(field.dataset, profile, sources, field.fold_case, readings)


@task(cache_policy=NO_CACHE, task_run_name="look for causes")
def look_for_causes(field: Attacked, profile: Profile | None, best: Attacker) -> Why:
    """Compare the pictures that the strongest attacker reads with the others."""
    from tasks.audit.consequences import causes_of

    answers = field.answers[f"{best['name']}-{best['labels']}"]
    why = causes_of(field.dataset, profile, field.unseen, answers, use_by(field, best), field.fold_case)
    why["attacker"] = best["title"]
    return why


@task(cache_policy=NO_CACHE, task_run_name="try changes")
def draw_changes(field: Attacked, profile: Profile, best: Attacker) -> list[WhatIf]:
    """Draw pairs of pictures with the same texts, and compare what is read."""
    from tasks.audit.consequences import what_ifs_of

    use = use_by(field, best)
    if use is None:
        raise TypeError("the attacker is no model")
    return what_ifs_of(profile, use, field.seed, field.clock.until("what if"), field.fold_case)


def use_by(field: Attacked, entry: Attacker) -> ModelUse | None:
    """Return the model that an attacker reads with, and how; None for an attacker that is no model."""
    model = _model_of(field, entry)
    try:
        return None if model is None else use_of(model, field.alphabet, field.length, field.words, field.fold_case)
    except BadInput:
        return None


def _model_of(field: Attacked, entry: Attacker) -> Place | None:
    models = field.state / "models"
    name = {"classic": f"classic-{entry['labels']}.skops", "deep": f"deep-{entry['labels']}.onnx"}.get(entry["name"])
    shipped = {"ladder": SHIPPED, "strangers": STRANGERS}.get(entry["name"])
    if shipped is not None:
        return shipped
    found = [models / name, models / "deep-drawing.onnx"] if name else []
    return next((file for file in found if file.exists()), None)
