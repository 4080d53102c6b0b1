"""The pictures of a page: each with its text, and together small enough that the page stays below its limit."""

import base64
import re

from tasks.audit.page.elements.markup import Markup, element, is_picture, together
from tasks.audit.schema import Figure

MOST = 2_300_000  # bytes of all pictures, so that the page with its texts stays below 3 MB
_SVG = re.compile(r"\s*(<\?xml[^>]*>\s*)?<svg[\s>]")


class Album:
    """Places pictures on a page until their bytes are used up; of the rest it leaves the texts."""

    def __init__(self, most: int = MOST) -> None:
        self._free = most
        self.left_out = 0  # pictures that found no room, or are none

    def picture(self, source: str, text: str, **attributes: str) -> Markup:
        """Return a picture with its text for people who do not see it, or the text alone.

        Parameters
        ----------
        source : str
            ``data:image/png;base64,…``, or an SVG. An SVG becomes a picture file within the page, in which a browser
            runs no script and fetches nothing.
        text : str
        **attributes
            As for `element`.
        """
        if _SVG.match(source):
            # A surrogate has no bytes; an SVG that holds one is not ours.
            source = "data:image/svg+xml;base64," + base64.b64encode(source.encode(errors="replace")).decode()
        if not is_picture(source):
            return self._without(text, "it is no picture")
        if len(source) > self._free:
            return self._without(text, "the page would pass 3 MB")
        self._free -= len(source)
        return element("img", src=source, alt=text, loading="eager", decoding="async", **attributes)

    def figure(self, figure: Figure) -> Markup:
        """Return a picture above its text."""
        # The text stands below the picture, so the picture itself is not read aloud a second time.
        return element(
            "figure",
            self.picture(figure["picture"], figure["text"]),
            element("figcaption", figure["text"], aria_hidden="true"),
            class_="shown",
        )

    def _without(self, text: str, why: str) -> Markup:
        self.left_out += 1
        return together(element("span", text, class_="no-picture"), element("small", f" (left out: {why})"))
