"""What was published about people who solve text CAPTCHAs: the context for what a change costs a reader."""

from typing import TypedDict


class Published(TypedDict):
    """A figure, and where it was published."""

    what: str
    source: str


PUBLISHED: tuple[Published, ...] = (
    Published(
        what="People took 9 to 15 s for a picture of distorted text, and 50 to 84 % of their answers were right.",
        source="A. Searles et al., An Empirical Study & Evaluation of Modern CAPTCHAs, USENIX Security 2023, "
        "arXiv:2307.12108",
    ),
    Published(
        what="People took 9.8 s for a picture on average; three people gave the same answer for 71 % of the pictures.",
        source="E. Bursztein et al., How Good are Humans at Solving CAPTCHAs? A Large Scale Evaluation, IEEE Symposium "
        "on Security and Privacy 2010",
    ),
    Published(
        what="8.66 % of first answers were mistyped, and 29.45 % where upper and lower case counted.",
        source="Baymard Institute, on CAPTCHA usability, as quoted by others",
    ),
)
STAND_IN = (
    "No people were asked. What a change costs a reader is measured on the pictures: the contrast of letters to what "
    "is around them, how much of their ink lies in two letters, and how many letters without noise a simple comparison "
    "with other letters of the same kind of picture still names. People read better than that comparison, but what it "
    "confuses is harder for them too."
)
UNFAIR = (
    "The attacker did not learn the changed pictures. An attacker who does gets back some of what it lost, so what a "
    "stronger distortion buys here is the most that it may buy."
)
