"""Show how a word is read, what the book's network learnt, or how back-propagation teaches it: no server."""

from dataclasses import replace
from pathlib import Path

from flows.explanations import require_replaceable
from flows.home import home, model_file
from flows.missing_inputs import NO_FILES
from flows.parameters import File, Name, Seed
from flows.reporting.bar import shown_bar
from flows.requests import refusing
from flows.service.starting import compile_kernels
from flows.solve_request import ChosenModels, served_model
from storage.errors import BadInput
from storage.files import atomic
from storage.files.places import local
from storage.files.targets import require_file, require_folder
from tasks.both_readers import read_together
from tasks.explaining.explain_picture import draw_word, explain_planned
from tasks.figures.stage_panels import percent
from tasks.profiles.built_in import find_profile
from tasks.profiles.fonts import find_face
from tasks.profiles.profile import Profile
from tasks.profiles.word_lists import load_words
from tasks.readers import expect_texts
from tasks.reading.ranking import Ranking
from tasks.solving.batches import SolvePlan, make_plan

CHAPTER, NETWORK, BACKPROPAGATION = "chapter", "network", "backpropagation"
BOOK_FONT, BOOK_SEED = "Inter Black", 14
_MOST_LETTERS = 64  # of a file's name; no profile draws a word of so many, which is told later


def explain(
    what: Name,
    *,
    profile: Name | None = None,
    seed: Seed | None = None,
    model: Name | None = None,
    dictionary: Name | None = None,
    font: Name | None = None,
    out: File | None = None,
) -> dict[str, object]:
    """Show how a word is read, what the book's network learnt, or how back-propagation teaches it.

    WORD draws a word and writes one PNG with every stage of its reading. `chapter` draws what the book's chapter does,
    by its own code, and an example for each of its defects. `network` trains the book's network on drawn letters and
    writes pictures of its weights, its training and its mistakes. `backpropagation` writes a page to open in a browser,
    in which a letter goes through a small network, and its error back.

    Parameters
    ----------
    what
        A word such as BONE, or chapter, network or backpropagation.
    profile
        Draw the word as this profile does, by default book: a built-in profile (see `captchas profiles`) or the path
        of a .toml file. With it, chapter, network and backpropagation are words too.
    seed
        Of the drawing, by default 1; of chapter, network and backpropagation, by default 14, the book's.
    model
        The model that reads the word: a name under the home, or a file; by default as for `captchas solve`.
    dictionary
        web2, the path of a word list, or none; by default the words of the profile, if the word is one of them.
    font
        The face of the letters, by default Inter Black; of a word by default the profile's faces.
    out
        The PNG of a word, the folder of chapter and network, or the HTML file of backpropagation; by default in
        reports/explain under the home.
    """
    if what == CHAPTER and profile is None:
        return _chapter(font or BOOK_FONT, BOOK_SEED if seed is None else seed, out)
    if what == NETWORK and profile is None:
        return _network(font or BOOK_FONT, BOOK_SEED if seed is None else seed, out)
    if what == BACKPROPAGATION and profile is None:
        return _backpropagation(font or BOOK_FONT, BOOK_SEED if seed is None else seed, out)
    return _word(what, find_profile(profile or "book"), 1 if seed is None else seed, model, dictionary, font, out)


def _word(
    what: str, profile: Profile, seed: int, model: str | None, dictionary: str | None, font: str | None,
    out: Path | None,
) -> dict[str, object]:  # fmt: skip
    """Draw a word, read it, and write the PNG of all stages."""
    forms = (what, what.upper(), what.lower())
    word = next((form for form in forms if set(form) <= set(profile.alphabet)), what)
    name = word if word.isalnum() and len(word) <= _MOST_LETTERS else "word"
    file = local(out, "out") if out else home() / "reports" / "explain" / f"{name}.png"
    require_replaceable(file, "out", [Path(dictionary)] if dictionary and dictionary not in NO_FILES else [])
    chosen = replace(profile, fonts=(font,)) if font else profile
    compile_kernels()
    picture, drawn = draw_word(word, chosen, seed)
    with refusing():
        models = ChosenModels(model_file(model), None, "--model") if model else served_model()
        if models.classic is not None and not read_together(drawn.length):
            models = ChosenModels(models.classic, None, models.why)
        plan = _plan(word, drawn, profile.words, models, dictionary)
        explained = explain_planned(plan, picture, word)
    atomic.replace(file, explained.png)
    return {
        "word": word,
        "profile": profile.name,
        "seed": seed,
        "reads_with": models.told,
        "model": plan.model,
        "classic_model": plan.classic,
        "dictionary_words": len(plan.words.split()),
        "answer": explained.word,
        "confidence": explained.confidence,
        "letters_alone": explained.reading,
        "right": explained.word == word,
        "stages": list(explained.stages),
        "explanation": str(file),
        "shown": {"model": None, "classic_model": None, "confidence": percent(explained.confidence)},
    }


def _plan(word: str, drawn: Profile, source: str, models: ChosenModels, dictionary: str | None) -> SolvePlan:
    """Return how to read a word: with the words that its profile draws, unless told otherwise."""
    words: tuple[str, ...] = ()
    if dictionary is not None:
        words = expect_texts(models.model, dictionary, drawn.alphabet, drawn.length).words
    elif source:
        words = load_words(source, drawn.alphabet, drawn.length)
        words = words if word in words else ()
    ranking = Ranking.PROBABILITY if words else Ranking.NONE
    return make_plan(models.model, words, ranking, 0.0, drawn.alphabet, drawn.length, models.classic)


def _chapter(font: str, seed: int, out: Path | None) -> dict[str, object]:
    """Draw the pictures of the book's chapter by its own code."""
    from tasks.explaining.chapter import PICTURES, STEPS, write_chapter  # it brings scikit-learn and scikit-image

    folder = local(out, "out") if out else home() / "reports" / "explain" / CHAPTER
    if out:
        require_folder(folder, "out", members=PICTURES)
    with shown_bar("reading words", STEPS, "steps") as advance:
        return write_chapter(find_face(font), seed, folder, advance=advance)


def _network(font: str, seed: int, out: Path | None) -> dict[str, object]:
    """Train the book's network, and write the pictures of its inside."""
    from tasks.explaining.network_report import (
        PARTS,
        PICTURES,
        write_network,
    )  # it brings scikit-learn and scikit-image

    folder = local(out, "out") if out else home() / "reports" / "explain" / NETWORK
    if out:
        require_folder(folder, "out", members=PICTURES)
    with shown_bar("training", PARTS, "steps") as advance:
        return write_network(find_face(font), seed, folder, advance=advance)


def _backpropagation(font: str, seed: int, out: Path | None) -> dict[str, object]:
    """Write the page in which a letter goes through a small network, and its error back."""
    from tasks.explaining.backpropagation_page import write_page

    file = local(out, "out") if out else home() / "reports" / "explain" / f"{BACKPROPAGATION}.html"
    if file.suffix != ".html":
        raise BadInput(f"out: must be a file that ends in .html; it is {file}")
    require_file(file, "out")
    return write_page(find_face(font), seed, file)
