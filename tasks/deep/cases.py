"""Upper and lower case that count alike: the network of such a model knows capitals only."""


def capital(letter: str) -> str:
    """Return a letter's capital; the letter itself if it has none, or more than a letter, as the German sharp s has."""
    return letter.upper() if len(letter.upper()) == 1 else letter


def in_capitals(text: str) -> str:
    """Return a text, or an alphabet, with the capital of each of its letters."""
    return "".join(map(capital, text))


def alphabet_in_capitals(alphabet: str) -> str:
    """Return the capitals of an alphabet, each once, in the order of their first letters."""
    return "".join(dict.fromkeys(in_capitals(alphabet)))
