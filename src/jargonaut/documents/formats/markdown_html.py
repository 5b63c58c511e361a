"""Raw HTML around Markdown: elements that are opened in one place and closed in another, with Markdown between."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html.parser import HTMLParser

from selectolax.lexbor import LexborHTMLParser, LexborNode

from jargonaut.documents.composing import LOWERED, RAISED, Script
from jargonaut.documents.formats.html_visibility import Styling

_SHEET = re.compile(r"<style\b[^>]*>(.*?)(?:</style\s*>|\Z)", re.IGNORECASE | re.DOTALL)
_VOID = frozenset(str.split("area base br col embed hr img input link meta source track wbr"))
_CLOSED_BY_OTHERS = frozenset(str.split("p li dt dd option optgroup tr td th thead tbody tfoot"))
"""Which the next paragraph, item or row ends without saying so."""
_SCRIPTS: dict[str, Script] = {"sup": RAISED, "sub": LOWERED}
_MOST_OPEN = 50


def sheets_in(pieces: Iterable[str]) -> list[str]:
    """Style sheets in raw HTML."""
    return [sheet for piece in pieces if "<style" in piece.lower() for sheet in _SHEET.findall(piece)]


def without_comments(html: str) -> tuple[str, list[str]]:
    """`html` without its comments, and those; line feeds stay. What is not closed is a comment to the end."""
    parts: list[str] = []
    comments: list[str] = []
    at = 0
    while (start := html.find("<!--", at)) >= 0:
        parts.append(html[at:start])
        end = html.find("-->", start + 4)
        comments.append(html[start + 4 : end] if end >= 0 else html[start + 4 :])
        parts.append("\n" * comments[-1].count("\n"))
        at = end + 3 if end >= 0 else len(html)
    return "".join(parts) + html[at:], comments


class OpenElements(HTMLParser):
    """Which elements are open, and why what is in them would not be seen.

    Args:
        sheets: Style sheets of the document.
    """

    def __init__(self, sheets: Sequence[str]) -> None:
        super().__init__(convert_charrefs=True)
        self._sheets = sheets
        self._open: list[tuple[str, str]] = []
        self._known: dict[tuple[str, ...], str] = {}

    @property
    def why(self) -> str:
        """Why a reader would not see what comes now; empty if a reader would."""
        tags = tuple(tag for _, tag in self._open)
        if not tags:
            return ""
        if tags not in self._known:
            self._known[tags] = self._reason("".join(tags))
        return self._known[tags]

    @property
    def script(self) -> Script:
        """How what comes now stands to its line."""
        return next((_SCRIPTS[name] for name, _ in reversed(self._open) if name in _SCRIPTS), "")

    @property
    def depth(self) -> int:
        """How many elements are open."""
        return len(self._open)

    def back_to(self, depth: int) -> None:
        """Close all but the first `depth`."""
        del self._open[depth:]

    def take(self, html: str, within_line: bool = False) -> None:
        """Open and close what `html` does; elements that paragraphs close are open `within_line` only."""
        self._within_line = within_line
        self.reset()
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """See `HTMLParser`."""
        ends_by_itself = tag in _VOID or (tag in _CLOSED_BY_OTHERS and not self._within_line)
        if not ends_by_itself and len(self._open) < _MOST_OPEN:
            self._open.append((tag, self.get_starttag_text() or ""))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """See `HTMLParser`; to a browser, the stroke at the end says nothing."""
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        """See `HTMLParser`."""
        for index in range(len(self._open) - 1, -1, -1):
            if self._open[index][0] == tag:
                del self._open[index:]
                return

    def _reason(self, tags: str) -> str:
        tree = LexborHTMLParser(f"<body>{tags}<i class='within'>.</i>")
        probe = tree.css_first("i.within")
        if probe is None:
            return ""
        styling = Styling(tree, self._sheets)
        at: LexborNode | None = probe
        while at is not None and at.is_element_node:
            if why := styling.why_hidden(at):
                return why
            at = at.parent
        text = probe.child
        return styling.why_unseen(text) if text is not None else ""
