"""The attackers of an audit, from weak to strong, with their titles and how they work."""

from tasks.audit.attackers.answers import Attack

ORDER = ("chance", "dictionary", "memory", "file", "tesseract", "ddddocr", "ladder", "strangers", "classic", "deep")
_EXPLAINED = {
    "chance": ("a constant guess", "It looks at no picture, and gives the likeliest text by length and letters."),
    "dictionary": ("the most frequent word", "It looks at no picture, and gives the text that comes most often."),
    "memory": (
        "a memory of pictures", "It reads nothing: it answers a picture as an equal picture was labelled. It has seen "
        "all other pictures.",
    ),
    "file": (
        "a reader of files", "It looks at no picture: it opens the file, and takes the word that stands where answers "
        "stand. Whoever looks into a few files sees where, so it needs no label.",
    ),
    "tesseract": (
        "Tesseract", "A program for scanned pages that anybody has; of three ways to prepare pictures, the best.",
    ),
    "ddddocr": (
        "ddddocr", "A program for CAPTCHAs that anybody can download; of its models and settings, the best.",
    ),
    "ladder": (
        "the shipped classic reader", "It cuts a picture into letters. It learnt from pictures of this project's "
        "profiles, and none of these.",
    ),
    "strangers": (
        "the shipped deep reader", "A network over whole pictures. It learnt from other generators' pictures, none of "
        "these.",
    ),
    "classic": ("the classic reader", "It cuts pictures into letters. It learnt from labelled pictures of these."),
    "deep": ("the deep reader", "The shipped network over whole pictures, which learnt on from labelled ones."),
    "drawing": (
        "the deep reader that draws",
        "The shipped network over whole pictures, which learnt on from as many pictures as it could draw in its time: "
        "whoever has the program that draws needs no labels.",
    ),
}  # fmt: skip


def attack_of(name: str, labels: int = 0, price: float = 0.0) -> Attack:
    """Return an attacker with so many labelled pictures, at a price a label."""
    title, explained = _EXPLAINED[name]
    return Attack("deep" if name == "drawing" else name, title, explained, labels, price)
