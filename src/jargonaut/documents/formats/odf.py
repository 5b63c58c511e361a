"""What ODT, ODS and ODP share: the package, its styles and its properties."""

from __future__ import annotations

import re
from dataclasses import dataclass

from jargonaut.core.errors import InputError
from jargonaut.documents.composing import LOWERED, RAISED, Script
from jargonaut.documents.encodings import normalised
from jargonaut.documents.formats.hidden import NOT_DISPLAYED, SAME_COLOUR, SMALLEST_POINTS, TOO_SMALL, same_colour
from jargonaut.documents.formats.ooxml import listed
from jargonaut.documents.formats.package import Element, Package
from jargonaut.documents.metadata import Metadata, metadata_of

_OASIS = "urn:oasis:names:tc:opendocument:xmlns"
OFFICE = f"{{{_OASIS}:office:1.0}}"
TEXT = f"{{{_OASIS}:text:1.0}}"
TABLE = f"{{{_OASIS}:table:1.0}}"
DRAW = f"{{{_OASIS}:drawing:1.0}}"
STYLE = f"{{{_OASIS}:style:1.0}}"
FO = f"{{{_OASIS}:xsl-fo-compatible:1.0}}"
SVG = f"{{{_OASIS}:svg-compatible:1.0}}"
PRESENTATION = f"{{{_OASIS}:presentation:1.0}}"
CHART = f"{{{_OASIS}:chart:1.0}}"
XLINK = "{http://www.w3.org/1999/xlink}"
_META = f"{{{_OASIS}:meta:1.0}}"
_DC = "{http://purl.org/dc/elements/1.1/}"
_ENCRYPTION = f"{{{_OASIS}:manifest:1.0}}encryption-data"
_PROPERTIES = {
    f"{_DC}title": "title",
    f"{_META}initial-creator": "author",
    f"{_META}creation-date": "date",
    f"{_DC}date": "modified",
    f"{_DC}language": "lang",
    f"{_DC}subject": "subject",
    f"{_DC}description": "description",
}
_LENGTH = re.compile(r"(-?\d+(?:\.\d+)?)(cm|mm|in|pt|pc|px)")
_POINTS = {"cm": 72 / 2.54, "mm": 7.2 / 2.54, "in": 72.0, "pt": 1.0, "pc": 12.0, "px": 0.75}
_MOST_ANCESTORS = 20
_STYLE_TAGS = (f"{STYLE}style", f"{TEXT}list-style", f"{TEXT}outline-style")
EMU_A_POINT = 12_700


class OdfPackage(Package):
    """An OpenDocument package.

    Args:
        data: The file.
        format_name: For errors, as `ODT`.
        body: Name of the element that has the content: `text`, `spreadsheet`, `presentation`.
    """

    def __init__(self, data: bytes, format_name: str, body: str) -> None:
        super().__init__(data, format_name)
        if "META-INF/manifest.xml" in self:
            manifest = self.xml("META-INF/manifest.xml")
            if next(manifest.iter(_ENCRYPTION), None) is not None:
                raise InputError("It is protected by a password.", "Save it without one.")
        self.content = self.xml("content.xml")
        found = self.content.find(f"{OFFICE}body/{OFFICE}{body}")
        if found is None:
            raise InputError(f"It is no {format_name} file.", "Give it the extension of its format.")
        self.body = found
        self.styles = self.xml("styles.xml") if "styles.xml" in self else None

    def metadata(self) -> Metadata:
        """The properties that people fill in."""
        root = self.xml("meta.xml").find(f"{OFFICE}meta") if "meta.xml" in self else None
        found: dict[str, object] = {}
        tags: list[str] = []
        for element in root if root is not None else ():
            text = normalised(element.text or "").strip()
            name = _PROPERTIES.get(element.tag)
            if name and text:
                found[name] = text
            elif element.tag == f"{_META}keyword":
                tags.extend(listed(text))
            elif element.tag == f"{_DC}creator" and text:
                found.setdefault("author", text)
        if tags:
            found["tags"] = tags
        return metadata_of(found)

    def object_root(self, frame: Element) -> Element | None:
        """Content of the document that is embedded in a `draw:object`."""
        name = (frame.get(f"{XLINK}href") or "").removeprefix("./").rstrip("/")
        inside = f"{name}/content.xml"
        return self.xml(inside) if name and inside in self else None


@dataclass(frozen=True, slots=True)
class Look:
    """What decides whether text is seen; None where nothing is said."""

    displayed: bool | None = None
    points: float | None = None
    colour: str | None = None
    ground: str | None = None
    script: Script | None = None

    def over(self, other: Look) -> Look:
        """The look of both, where this one has the say."""
        return Look(
            other.displayed if self.displayed is None else self.displayed,
            other.points if self.points is None else self.points,
            self.colour or other.colour,
            self.ground or other.ground,
            other.script if self.script is None else self.script,
        )

    def hidden(self, ground: str | None) -> str:
        """Why a reader does not see text of this look on `ground`; empty if a reader does."""
        if self.displayed is False:
            return NOT_DISPLAYED
        if self.points is not None and self.points <= SMALLEST_POINTS:
            return TOO_SMALL
        return SAME_COLOUR if same_colour(self.colour, self.ground or ground) else ""


class OdfStyles:
    """Styles by family and name.

    Args:
        roots: Of the parts that have styles; later ones win.
    """

    def __init__(self, *roots: Element | None) -> None:
        self._elements: dict[tuple[str, str], Element] = {}
        self._looks: dict[tuple[str, str], Look] = {}
        self.lists: dict[str, Element] = {}
        self.outline: Element | None = None
        for root in roots:
            for element in (
                root.iter(f"{STYLE}style", f"{TEXT}list-style", f"{TEXT}outline-style") if root is not None else ()
            ):
                name = element.get(f"{STYLE}name") or ""
                if element.tag == f"{STYLE}style":
                    self._elements[element.get(f"{STYLE}family") or "", name] = element
                elif element.tag == f"{TEXT}list-style":
                    self.lists[name] = element
                else:
                    self.outline = element

    def look(self, family: str, name: str | None) -> Look:
        """How text of that style looks."""
        key = (family, name or "")
        if key not in self._looks:
            look = Look()
            for element in reversed(self.ancestry(family, name)):
                look = _own_look(element).over(look)
            self._looks[key] = look
        return self._looks[key]

    def ancestry(self, family: str, name: str | None) -> list[Element]:
        """The style, its parent, and so on."""
        found: list[Element] = []
        while name and (family, name) in self._elements and len(found) < _MOST_ANCESTORS:
            found.append(self._elements[family, name])
            name = found[-1].get(f"{STYLE}parent-style-name")
        return found

    def names(self, family: str, name: str | None) -> list[str]:
        """Names of the style and its ancestors as people see them, in lower case."""
        own = [name] if name else []
        stored = [each.get(f"{STYLE}display-name") or each.get(f"{STYLE}name") for each in self.ancestry(family, name)]
        parents = [each.get(f"{STYLE}parent-style-name") for each in self.ancestry(family, name)]
        return [_plain_name(each) for each in (*own, *stored, *parents) if each]

    def attribute(self, family: str, name: str | None, attribute: str) -> str:
        """An attribute of the style or the nearest ancestor that has it; empty if none has."""
        return next((value for each in self.ancestry(family, name) if (value := each.get(attribute)) is not None), "")

    def property(self, family: str, name: str | None, kind: str, attribute: str) -> str:
        """A property of the style or the nearest ancestor that has it; empty if none has."""
        for element in self.ancestry(family, name):
            found = element.find(f"{STYLE}{kind}-properties")
            if found is not None and found.get(attribute) is not None:
                return str(found.get(attribute))
        return ""


def points(text: str | None) -> float | None:
    """A length like `1.5cm` in points."""
    match = _LENGTH.fullmatch(text or "")
    return float(match[1]) * _POINTS[match[2]] if match else None


def all_text(element: Element) -> str:
    """All text in `element`."""
    return "".join(element.itertext())


def repeated(element: Element, attribute: str, most: int) -> int:
    """How often a row or cell is repeated."""
    value = element.get(f"{TABLE}{attribute}") or "1"
    return min(max(int(value), 1), most) if value.isdecimal() and len(value) < 10 else 1


def _plain_name(name: str) -> str:
    return name.replace("_20_", " ").lower()


def _own_look(style: Element) -> Look:
    look = Look()
    for properties in style:
        kind = str(properties.tag).removeprefix(STYLE)
        ground = _colour(properties.get(f"{FO}background-color"))
        if kind == "text-properties":
            shown = properties.get(f"{TEXT}display")
            size = points(properties.get(f"{FO}font-size"))
            colour = _colour(properties.get(f"{FO}color"))
            if properties.get(f"{STYLE}use-window-font-color") == "true":
                colour = None
            script = _script(properties.get(f"{STYLE}text-position"))
            look = Look(None if shown is None else shown != "none", size, colour, ground, script).over(look)
        elif kind in ("paragraph-properties", "table-cell-properties"):
            look = look.over(Look(ground=ground))
    return look


def _script(position: str | None) -> Script | None:
    """What a `style:text-position` such as `super 58%` or `-33% 58%` says."""
    if not position:
        return None
    where, _, size = position.partition(" ")
    if where in ("super", "sub"):
        return RAISED if where == "super" else LOWERED
    # Text that is moved and stays as large is no index.
    if not size or size.strip() == "100%" or not where.strip("-0%"):
        return ""
    return LOWERED if where.startswith("-") else RAISED


def _colour(text: str | None) -> str | None:
    return text[1:].lower() if text and text.startswith("#") and len(text) == 7 else None
