"""The text within a paragraph of an OpenDocument file, and what hangs on it."""

from __future__ import annotations

from dataclasses import dataclass, field

from jargonaut.documents.composing import Composer, Inline
from jargonaut.documents.formats.hidden import COMMENT, NOT_DISPLAYED
from jargonaut.documents.formats.mathml import mathml_text
from jargonaut.documents.formats.odf import DRAW, OFFICE, TEXT, XLINK, Look, OdfPackage, OdfStyles, all_text
from jargonaut.documents.formats.ooxml import whole
from jargonaut.documents.formats.package import Element
from jargonaut.documents.links import resolve_link

SHAPES = frozenset(
    DRAW + name
    for name in str.split(
        "frame g custom-shape rect ellipse circle path polygon polyline line connector caption measure regular-polygon"
    )
)
SKIPPED = frozenset(
    {f"{OFFICE}annotation-end", f"{TEXT}ruby-text", f"{TEXT}note-citation", f"{OFFICE}forms", f"{TEXT}tracked-changes"}
)
_REFERENCES = frozenset(TEXT + name for name in ("bookmark-ref", "reference-ref"))
_ANCHORS = frozenset(TEXT + name for name in ("bookmark", "bookmark-start", "reference-mark", "reference-mark-start"))
_BLANKS = {f"{TEXT}s": " ", f"{TEXT}tab": "\t", f"{TEXT}line-break": "\n"}
_MOST_BLANKS = 200


@dataclass(slots=True)
class Aside:
    """What hangs on a paragraph."""

    raw: list[str] = field(default_factory=list)
    """The text with its tabs and line breaks."""
    notes: list[Element] = field(default_factory=list)
    shapes: list[Element] = field(default_factory=list)
    numbers_itself: bool = False
    """Whether it holds a sequence field, as captions do."""
    page: int = 0
    """On which its text begins; 0 until there is text."""


class OdfInline:
    """Reads paragraphs; pages go on from one to the next.

    Args:
        package: The file.
        styles: Of the document.
        composer: Counts what is hidden, and takes anchors.
        uri: Of the document, for links.
    """

    def __init__(self, package: OdfPackage, styles: OdfStyles, composer: Composer, uri: str) -> None:
        self._package = package
        self._styles = styles
        self._composer = composer
        self._uri = uri
        self.page = 1

    def read(self, element: Element, ground: str | None, aside: Aside) -> Inline:
        """The text of a paragraph on a ground of that colour; what hangs on it is added to `aside`."""
        inline = Inline()
        look = self._styles.look("paragraph", element.get(f"{TEXT}style-name"))
        self._walk(element, inline, look, ground, aside)
        return inline

    def _walk(self, element: Element, inline: Inline, look: Look, ground: str | None, aside: Aside) -> None:
        def say(text: str | None) -> None:
            if not text:
                return
            if reason := look.hidden(ground):
                self._composer.hide(reason, text)
                return
            if not aside.page and not text.isspace():
                aside.page = self.page
            inline.add(text.replace("\n", " "), look.script or "")
            aside.raw.append(text)

        say(element.text)
        for child in element:
            name = str(child.tag)
            if name == f"{TEXT}span":
                own = self._styles.look("text", child.get(f"{TEXT}style-name"))
                self._walk(child, inline, own.over(look), ground, aside)
            elif name in _BLANKS:
                say(_BLANKS[name] * min(whole(child.get(f"{TEXT}c"), 1), _MOST_BLANKS))
            elif not self._inline_object(child, name, inline, aside):
                self._walk(child, inline, look, ground, aside)
            say(child.tail)

    def _inline_object(self, child: Element, name: str, inline: Inline, aside: Aside) -> bool:
        """Deal with what is no text; whether the text in it is not to be read."""
        if name == f"{TEXT}a":
            # Addresses are relative to the package, as if it were a folder.
            inline.refer(resolve_link((child.get(f"{XLINK}href") or "").removeprefix("../"), self._uri))
        elif name in _REFERENCES:
            inline.refer(f"{self._uri}#{child.get(f'{TEXT}ref-name')}")
        elif name in _ANCHORS:
            self._composer.anchor(child.get(f"{TEXT}name") or "")
        elif name == f"{TEXT}sequence":
            aside.numbers_itself = True
        elif name == f"{TEXT}soft-page-break":
            self.page += 1
        elif name == f"{TEXT}note":
            citation = child.find(f"{TEXT}note-citation")
            inline.add(f"[{all_text(citation)}]" if citation is not None else "")
            aside.notes.append(child)
            return True
        elif name == f"{OFFICE}annotation":
            self._composer.hide(COMMENT, annotation_text(child))
            return True
        elif name == f"{TEXT}hidden-text":
            self._composer.hide(NOT_DISPLAYED, child.get(f"{TEXT}string-value") or all_text(child))
            return True
        elif name in SHAPES:
            formula = self._formula(child)
            inline.add(formula)
            if not formula:
                aside.shapes.append(child)
            return True
        return name in SKIPPED

    def _formula(self, frame: Element) -> str:
        found = frame.find(f"{DRAW}object")
        root = self._package.object_root(found) if found is not None else None
        return mathml_text(root) if root is not None and str(root.tag).endswith("}math") else ""


def annotation_text(element: Element) -> str:
    """What a comment says."""
    return "".join(all_text(part) for part in element if str(part.tag).startswith(TEXT))
