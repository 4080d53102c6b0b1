"""A page of HTML as tests read it: its elements in their order, each with its attributes and its text."""

from html.parser import HTMLParser

VOID = {"br", "hr", "img", "input", "link", "meta", "wbr"}


class Parsed(HTMLParser):
    """A page as a list of elements, with the text in each; it fails where an element does not end."""

    def __init__(self, page: str):
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None], list[str]]] = []
        self._open: list[int] = []
        self.feed(page)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes), []))
        assert len(dict(attributes)) == len(attributes)
        if tag not in VOID:
            self._open.append(len(self.elements) - 1)

    def handle_endtag(self, tag):
        assert self.elements[self._open.pop()][0] == tag

    def handle_data(self, data):
        for place in self._open:
            self.elements[place][2].append(data.replace("\u00a0", " "))

    def all(self, *tags: str) -> list[tuple[str, dict[str, str | None], str]]:
        return [(tag, attributes, "".join(text)) for tag, attributes, text in self.elements if tag in tags]

    def text(self) -> str:
        return self.all("body")[0][2]
