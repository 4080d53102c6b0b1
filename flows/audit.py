"""Judge how strong a CAPTCHA is: let attackers try, weak and strong ones, and say what they got and why."""

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

from cyclopts import App
from prefect import flow

from flows.auditing.attacked import Attacked
from flows.auditing.attacks import attack_all, attack_by_files, programs_here
from flows.auditing.clock import Clock
from flows.auditing.comparing import audit_history, compare_audits
from flows.auditing.course import Course
from flows.auditing.few_pictures import DRAWN_FOR_UNSEEN, few_drawn, too_few_told
from flows.auditing.follow_ups import explain_success, find_all_defects, try_changes
from flows.auditing.results import for_people, made, spelled_again, write_result
from flows.auditing.states import place_at_home, settle
from flows.auditing.target import AuditTarget, draw_target, find_target
from flows.parameters import AuditMinutes, Count, File, Name, Price, Seed, Share
from flows.reporting.runs import named, told
from flows.requests import command
from flows.shell.examples import prologue
from flows.workers.cluster import cores, crew
from storage.audits import PAGE, RESULT, Steps, audit_locked, find_audit, require_own
from storage.dataset import Dataset
from storage.errors import BadInput, CaptchasError
from storage.files.places import local
from storage.files.targets import require_folder
from tasks.audit.attackers import budget
from tasks.audit.attackers.labelled import drop_labelled, find_unseen, pictures_again, size_of, texts_of_equal
from tasks.audit.attackers.sample_pictures import samples_of
from tasks.audit.attackers.verdict import FILE, percent, strongest, verdict_of
from tasks.audit.findings.texts.ignored_texts import LEAST_TEXTS
from tasks.audit.schema import SCHEMA, Audit, Generator, Target
from tasks.audit.sides import SHARE
from tasks.scoring.evaluate import dictionary_of
from tasks.solving.choice import parse_length

PRICE = 0.001  # a label: about a dollar for a thousand, by Motoyama et al., USENIX Security 2010; docs/audit-json.md
FEWEST_UNSEEN = 20  # pictures: with fewer nothing can be said
NOT_SPELLED = ("workers", "cluster", "again", "out")  # options that decide nothing about what comes out
STEPS = 6  # raised when a step would give something else


class TooWeak(CaptchasError, RuntimeError):
    """A CAPTCHA that is read more often than its owner allows."""

    exit_code = 3


class AuditChoice(NamedTuple):
    """What to audit, and the folder of the audit."""

    target: AuditTarget
    folder: Path


@dataclass(frozen=True)
class AuditRequest:
    """What to audit, for how long, and by which rules.

    Parameters
    ----------
    target
        A profile; a dataset's name under the home, its path or its URL; a folder of labelled pictures; or your own
        generator, as module:function. Leave it out with --command.
    command
        Your own generator in any language: a command that draws a picture, such as 'php draw.php {text} {out}'.
    minutes
        Budget of the whole audit.
    alphabet
        The letters to ask your generator for.
    length
        How many of them: 5, or 4-6.
    seed
        Of the pictures that are drawn, and of all trainings.
    fold_case
        Count upper and lower case alike, as many forms do.
    label_price
        What a labelled picture costs an attacker; by default about what services that let people solve CAPTCHAs take.
    currency
        Of that price.
    fail_above
        End with exit code 3 if the strongest attacker surely reads more than this share of the pictures, such as 0.01:
        if the lower end of its interval is above.
    out
        Folder of the audit; by default audits/TARGET under the home.
    workers
        Local processes; by default one for each core.
    cluster
        Address of a Dask scheduler to use instead, such as tcp://host:8786.
    again
        Begin anew, even if this audit is finished or was begun.
    """

    target: Name | None = None
    _: KW_ONLY
    command: Name | None = None
    minutes: AuditMinutes = 30.0
    alphabet: Name | None = None
    length: Name | int | None = None
    seed: Seed = 1
    fold_case: bool = False
    label_price: Price = PRICE
    currency: Name = "USD"
    fail_above: Share | None = None
    out: File | None = None
    workers: Count | None = None
    cluster: Name | None = None
    again: bool = False


def check(request: AuditRequest) -> AuditChoice:
    """Find what is to be audited, or name the wrong parameter."""
    budget.require_minutes(request.minutes)
    if request.out:
        require_folder(local(request.out, "out"), "out", members=(RESULT, PAGE))
        require_own(local(request.out, "out"))
    bounds = parse_length(None if request.length is None else str(request.length))
    lengths = tuple(range(bounds[0], bounds[1] + 1)) if bounds else None
    target = find_target(request.target, request.command, alphabet=request.alphabet, lengths=lengths, seed=request.seed)
    return AuditChoice(target, local(request.out, "out")) if request.out else AuditChoice(*place_at_home(target))


@flow(flow_run_name=named("audit", "target", "command"))
@told
@command(AuditRequest, check)
def audit(request: AuditRequest, choice: AuditChoice) -> dict[str, Any]:
    """Judge how strong a CAPTCHA is: let attackers try it, and say what they got, why, and what would change it.

    Attackers are tried from weak to strong, each within its share of the minutes, all on the same pictures that none
    of them has seen. The verdict is one of three: broken; not shown to be strong; held against what was tried. It is
    written to audit.json and, for people, to report.html. A run that was ended goes on where it was.
    """
    target, folder = choice
    with audit_locked(folder):
        clock = Clock(request.minutes)
        with Course(target.name, clock) as course, crew(request.workers, request.cluster):
            now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
            choice = AuditChoice(settle(target, folder), folder)
            course.begins("getting pictures", "drawing")
            dataset, generator = draw_pictures(request, choice, clock)
            field = attacked(request, choice, dataset, generator, course)
            began = field.step("began", lambda: now)  # a run of a changed target, or by other rules, is another audit
            programs = programs_here(field.alphabet)
            result = find_audit(folder) if field.steps.find("finished", programs=programs) else None
            kept = result is not None
            if result is None:
                attack_all(field)
                content = put_together(request, target, field, generator, began)
                write_result(folder, content)
                field.course.ends()
                field.steps.keep("finished", {"started": began}, programs=programs)
                drop_labelled(field.state)
                result = dict(content)
    report = for_people(result, str(folder), str(folder / PAGE), kept=kept)
    require_strong(result, request.fail_above, report)
    return report


def draw_pictures(request: AuditRequest, choice: AuditChoice, clock: Clock) -> tuple[Dataset, Generator | None]:
    """Draw what there is to draw; return the dataset and its generator.

    A run that goes on wants as many pictures as the first, though that may have had less time.
    """
    target, steps = choice.target, steps_of(request, choice)
    if request.again:
        steps.forget()
    kept = steps.find("drawn")
    wanted = kept["count"] if kept else DRAWN_FOR_UNSEEN * budget.unseen_wanted(request.minutes)
    # On a busy machine workers may take longer to start than a short audit has for drawing.
    dataset, generator = draw_target(target, wanted, clock.whole("drawing"), request.workers)
    if kept is None:
        steps.keep("drawn", {"count": len(dataset)})
    return dataset, generator


def steps_of(request: AuditRequest, choice: AuditChoice) -> Steps:
    """Return the steps that depend on the target and the minutes, and not on the pictures."""
    target, folder = choice
    source = None if target.generator is None else target.generator.digest
    return Steps(folder, {"target": target.given, "source": source, "seed": request.seed, "minutes": request.minutes})


def attacked(
    request: AuditRequest, choice: AuditChoice, dataset: Dataset, generator: Generator | None, course: Course
) -> Attacked:
    """Choose the unseen pictures, and say what every step depends on."""
    target, folder = choice
    unseen = find_unseen(dataset, budget.unseen_wanted(request.minutes))
    few = few_drawn(generator, len(unseen.rows), request.minutes, request.workers or cores())
    if len(unseen.rows) < FEWEST_UNSEEN:
        require_different(target.name, dataset)
        few = few_drawn(generator, len(unseen.rows), request.minutes, request.workers or cores(), FEWEST_UNSEEN)
        if few:
            steps_of(request, choice).drop("drawn")  # a machine that is less busy may draw more in the same time
            raise BadInput(f"{target.name}: {few}, and with fewer nothing can be said")
        raise BadInput(f"{target.name}: {too_few_told(dataset, len(unseen.rows), FEWEST_UNSEEN, generator)}")
    depends = {
        # Files may change where their pixels do not.
        "identity": dataset.manifest.identity, "content": dataset.manifest.content, "unseen": len(unseen.rows),
        "fold_case": request.fold_case, "seed": request.seed, "price": [request.label_price, request.currency],
        "minutes": request.minutes, "version": version("beating-captchas"), "steps": STEPS,
    }  # fmt: skip
    draws = target.given if target.kind == "profile" else None
    field = Attacked(
        dataset, unseen, draws, words_of(dataset), request.fold_case, request.label_price, request.seed,
        Steps(folder, depends), course.clock, course, few,
    )  # fmt: skip
    if few:
        field.skip("unseen pictures", few)
    if unseen.dropped:
        field.skip(
            "unseen pictures", f"{unseen.dropped:,} of the test split equal pictures of the other splits; they would "
            "be known to attackers"
        )  # fmt: skip
    return field


def require_different(name: str, dataset: Dataset) -> None:
    """Refuse pictures that are nearly all equal: more of them would change nothing.

    Raises
    ------
    BadInput
    """
    different = len(dataset) - pictures_again(dataset)
    if len(dataset) >= SHARE * FEWEST_UNSEEN and different < len(dataset) / 2:
        texts = texts_of_equal(dataset)
        if texts >= LEAST_TEXTS:
            raise BadInput(
                f"{name}: its pictures do not depend on the text: {texts:,} different texts have pictures that equal "
                f"one of another text, and only {different:,} of {len(dataset):,} pictures differ. Draw the text that "
                "is given; of a folder, check the labels"
            )
        raise BadInput(
            f"{name}: only {different:,} of its {len(dataset):,} pictures differ, and none of these few is kept from "
            "the attackers often enough. Who has seen them once knows all answers: draw each picture anew"
        )


def words_of(dataset: Dataset) -> tuple[str, ...]:
    """Return the dictionary that a dataset's texts are from, which attackers guess soon; empty for none."""
    try:
        return dictionary_of(dataset, None)
    except BadInput:  # a user's own list, which the dataset does not hold
        return ()


def put_together(
    request: AuditRequest, target: AuditTarget, field: Attacked, generator: Generator | None, began: str
) -> Audit:
    """Judge, look for what follows, and return all that was found."""
    field.course.begins("looking for defects, causes and changes", "findings")
    findings = find_all_defects(field, target.profile, target.sources)
    attack_by_files(field, target.sources, findings)
    best = strongest(field.entries)
    # What is in the files says nothing of the pictures.
    looking = strongest([entry for entry in field.entries if entry["name"] != FILE])
    why = explain_success(field, target.profile, looking) if looking else None
    what_if = try_changes(field, target.profile)
    verdict = verdict_of(
        field.entries, len(field.unseen.rows), field.skipped, request.label_price, request.currency, field.few, findings
    )
    answers = field.answers[f"{best['name']}-{best['labels']}"] if best else None
    return {
        "schema": SCHEMA,
        "made": made(began, field.clock.spent, request.minutes, request.seed, spelled_again(request, NOT_SPELLED)),
        "target": described(target, field, generator), "verdict": verdict, "attackers": field.entries,
        "samples": samples_of(field.dataset, field.unseen, answers, request.fold_case) if answers else [],
        "findings": findings, "why": why, "what_if": what_if, "skipped": field.skipped,
    }  # fmt: skip


def described(target: AuditTarget, field: Attacked, generator: Generator | None) -> Target:
    """Return what was audited."""
    dataset, manifest = field.dataset, field.dataset.manifest
    return {
        "name": target.name, "kind": target.kind, "given": target.given, "dataset": str(dataset.folder),
        "identity": manifest.identity, "content": manifest.content, "pictures": len(dataset),
        "redrawable": manifest.source is None, "profile": manifest.profile if manifest.source is None else None,
        "colour": dataset.colour, "size": size_of(dataset), "alphabet": field.alphabet, "lengths": list(field.length),
        "fold_case": field.fold_case, "generator": generator,
    }  # fmt: skip


def require_strong(result: Mapping[str, Any], fail_above: float | None, report: Mapping[str, Any]) -> None:
    """Fail if the strongest attacker surely reads more than is allowed.

    Raises
    ------
    TooWeak
    """
    low, name = result["verdict"]["low"], result["verdict"]["attacker"]
    if fail_above is None or low is None or low <= fail_above:
        return
    title = next((entry["title"] for entry in result["attackers"] if entry["name"] == name), name)
    error = TooWeak(
        f"{result['target']['name']}: the strongest attacker, {title}, surely reads more than {percent(low)} of the "
        f"pictures; --fail-above allows {100 * fail_above:g} %. The report says why, and what would change it"
    )
    error.report = report
    raise error


# With the commands below it; a target of their names is given as ./compare.
commands = App(name="audit", help_prologue=prologue("audit"), help_epilogue="")
commands.default(audit)
commands.command(compare_audits, name="compare", help_prologue=prologue("audit compare"))
commands.command(audit_history, name="history", help_prologue=prologue("audit history"))
