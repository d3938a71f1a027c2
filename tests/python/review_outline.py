"""What a weekly page says and which tags it has, for tests."""

from __future__ import annotations

from html.parser import HTMLParser

from pipelines.review.page import Page


class Outline(HTMLParser):
    """Text by section, rows of tables, tags with their attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.sections: dict[str, str] = {}
        self.rows: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._section = "header"
        self._silent = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.append((tag, found))
        if tag == "section":
            self._section = found["id"] or ""
        if tag == "tr":
            self.rows.append("")
        self._silent = tag == "style"

    def handle_data(self, data: str) -> None:
        if self._silent:
            return
        text = data.replace("\xa0", " ")
        self.sections[self._section] = self.sections.get(self._section, "") + text
        if self.rows:
            self.rows[-1] += text


def outline(page: Page) -> Outline:
    return Outline(page.html.read_text())
