"""Elements of a page by what they are for: what is dropped, what is a block, a table, a mark of a note."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from selectolax.lexbor import LexborNode

from jargonaut.documents.composing import LOWERED, RAISED, Script
from jargonaut.documents.formats.counting import counted
from jargonaut.documents.scripts import note_mark

_DROPPED = frozenset(
    str.split(
        """
        script style nav noscript template svg canvas iframe object embed audio video button input select textarea
        datalist dialog head title meta link
        """
    )
)
_DROPPED_ROLES = frozenset({"navigation", "search", "banner", "contentinfo", "menu", "menubar"})
BLOCKS = frozenset(
    str.split(
        """
        address article aside blockquote body center dd details div dl dt fieldset figcaption figure footer form
        header hgroup hr html legend li main ol p section summary tbody td tfoot th thead tr ul caption
        """
    )
)
_CELL_BREAKERS = "h1, h2, h3, h4, h5, h6, table, pre, article, section"
SCRIPTS: dict[str, Script] = {"sup": RAISED, "sub": LOWERED}
_NUMBERINGS = {"a": "lowerLetter", "A": "upperLetter", "i": "lowerRoman", "I": "upperRoman"}
_WHOLE = re.compile(r"[+-]?\d{1,9}")
_NEAR = 4
"""Elements around a text in which it is looked whether that is raised."""
_LONGEST_MARK = 8


def is_note_mark(node: LexborNode) -> bool:
    """Whether it is nothing but the mark of a note: so declared, or raised and a link within the page."""
    if node.tag not in ("a", "sup", "span") or len(text := node.text().strip()) > _LONGEST_MARK or not text:
        return False
    links = [node] if node.tag == "a" else node.css("a")
    for each in (node, *links):
        declared = f"{each.attributes.get('epub:type') or ''} {each.attributes.get('role') or ''}".split()
        if "noteref" in declared or "doc-noteref" in declared:
            return True
    if node.tag != "sup" or not any((link.attributes.get("href") or "").startswith("#") for link in links):
        return False
    return sum(len(link.text().strip()) for link in links) >= len(text) - 2


def script_around(text: LexborNode) -> tuple[Script, str]:
    """Whether a text stands in a raised or lowered element, and what is written instead if it is a note's mark."""
    at = text.parent
    script: Script = ""
    for _ in range(_NEAR):
        if at is None or at.tag in BLOCKS:
            break
        if at.tag in ("a", "sup") and is_note_mark(at):
            return "", note_mark(at.text())
        script = script or SCRIPTS.get(at.tag or "", "")
        at = at.parent
    return script, ""


def leaves_of(node: LexborNode, is_hidden: Callable[[LexborNode], bool]) -> Iterator[LexborNode]:
    """All nodes in `node` that are shown, in order."""
    waiting = list(node.iter(include_text=True))[::-1]
    while waiting:
        child = waiting.pop()
        if child.is_text_node:
            yield child
        elif child.is_element_node and not is_dropped(child) and not is_hidden(child):
            yield child
            waiting.extend(list(child.iter(include_text=True))[::-1])


def is_dropped(node: LexborNode) -> bool:
    """Whether it is no part of what the page says."""
    attributes = node.attributes
    return node.tag in _DROPPED or attributes.get("aria-hidden") == "true" or attributes.get("role") in _DROPPED_ROLES


def is_data_table(node: LexborNode) -> bool:
    """Whether it is a table for its content, not for its layout."""
    if node.attributes.get("role") == "presentation":
        return False
    return all(found == node for found in node.css(_CELL_BREAKERS))


def is_header(row: LexborNode) -> bool:
    """Whether a row names the columns."""
    parent = row.parent
    if parent is not None and parent.tag == "thead":
        return True
    cells = [cell for cell in row.iter() if cell.tag in ("td", "th")]
    return bool(cells) and all(cell.tag == "th" for cell in cells)


def span_of(cell: LexborNode, name: str) -> int:
    """How many columns or rows a cell takes."""
    text = (cell.attributes.get(name) or "").strip()
    return max(int(text), 1) if text.isdecimal() and len(text) < 6 else 1


def numbers_of(ordered: LexborNode) -> Iterator[tuple[LexborNode, str]]:
    """What is in an ordered list, each item with its number as it is shown; what is no item with none."""
    items = list(ordered.iter(include_text=True))
    step = -1 if "reversed" in ordered.attributes else 1
    number = _whole(ordered.attributes.get("start"), sum(item.tag == "li" for item in items) if step < 0 else 1)
    for item in items:
        if item.tag != "li":
            yield item, ""
            continue
        number = _whole(item.attributes.get("value"), number)
        style = _NUMBERINGS.get(item.attributes.get("type") or ordered.attributes.get("type") or "", "decimal")
        yield item, f"{counted(number, style) if number > 0 else number}."
        number += step


def _whole(text: str | None, otherwise: int) -> int:
    written = (text or "").strip()
    return int(written) if _WHOLE.fullmatch(written) else otherwise
