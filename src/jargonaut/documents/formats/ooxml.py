"""What DOCX, PPTX and XLSX share: parts and the relations between them, properties, shapes' alternative text."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from urllib.parse import unquote

from jargonaut.core.errors import InputError
from jargonaut.documents.encodings import normalised
from jargonaut.documents.formats.package import Element, Package
from jargonaut.documents.metadata import Metadata, metadata_of

_OPEN = "http://schemas.openxmlformats.org"
A = f"{{{_OPEN}/drawingml/2006/main}}"
C = f"{{{_OPEN}/drawingml/2006/chart}}"
DGM = f"{{{_OPEN}/drawingml/2006/diagram}}"
MC = f"{{{_OPEN}/markup-compatibility/2006}}"
P = f"{{{_OPEN}/presentationml/2006/main}}"
R = f"{{{_OPEN}/officeDocument/2006/relationships}}"
S = f"{{{_OPEN}/spreadsheetml/2006/main}}"
W = f"{{{_OPEN}/wordprocessingml/2006/main}}"
_RELATION = f"{{{_OPEN}/package/2006/relationships}}Relationship"
_CORE = {
    "{http://purl.org/dc/elements/1.1/}title": "title",
    "{http://purl.org/dc/elements/1.1/}creator": "author",
    "{http://purl.org/dc/elements/1.1/}description": "description",
    "{http://purl.org/dc/elements/1.1/}subject": "subject",
    "{http://purl.org/dc/elements/1.1/}language": "lang",
    "{http://purl.org/dc/terms/}created": "date",
    "{http://purl.org/dc/terms/}modified": "modified",
    f"{{{_OPEN}/package/2006/metadata/core-properties}}keywords": "tags",
    f"{{{_OPEN}/package/2006/metadata/core-properties}}category": "category",
}
_MEANINGLESS_TITLES = frozenset(
    {
        "powerpoint presentation",
        "powerpoint 演示文稿",
        "presentation",
        "untitled",
        "document",
        "word document",
        "slide 1",
    }
)


@dataclass(frozen=True, slots=True)
class Relation:
    """From a part to another, or to somewhere outside the package."""

    kind: str
    """Last word of its type: `image`, `hyperlink`, `slide`, ..."""
    target: str
    """Name of a part, or an address as written if it is external. Never opened if it is."""
    external: bool


class OfficePackage(Package):
    """A package whose parts are related, as ECMA-376 has it.

    Args:
        data: The file.
        format_name: For errors, as `DOCX`.
        root: Tag of the main part's root element.
        usual_name: Of the main part, where the package does not say.
    """

    def __init__(self, data: bytes, format_name: str, root: str, usual_name: str) -> None:
        super().__init__(data, format_name)
        self._relations: dict[str, dict[str, Relation]] = {}
        mains = self.related("", "officeDocument")
        self.main_name = mains[0] if mains else usual_name
        self.main = self.xml(self.main_name)
        if self.main.tag != root:
            found = str(self.main.tag).rpartition("}")[2]
            raise InputError(
                f"It is no {format_name} file: its main part holds a {found}.", "Give it the extension of its format."
            )

    def relations(self, part: str) -> dict[str, Relation]:
        """Relations of `part` by their id."""
        if part not in self._relations:
            self._relations[part] = dict(self._read_relations(part))
        return self._relations[part]

    def related(self, part: str, kind: str) -> list[str]:
        """Names of the parts in the package that `part` is related to as `kind`."""
        found = self.relations(part).values()
        return [each.target for each in found if each.kind == kind and not each.external and each.target in self]

    def related_xml(self, part: str, kind: str) -> Element | None:
        """Root of the first part that `part` is related to as `kind`."""
        names = self.related(part, kind)
        return self.xml(names[0]) if names else None

    def metadata(self) -> Metadata:
        """The properties that people fill in."""
        root = self.related_xml("", "core-properties")
        found: dict[str, object] = {}
        for element in root if root is not None else ():
            name = _CORE.get(element.tag)
            text = normalised(element.text or "").strip()
            if name and text:
                found[name] = listed(text) if name == "tags" else text
        return metadata_of(found)

    def _read_relations(self, part: str) -> list[tuple[str, Relation]]:
        folder, _, file = part.rpartition("/")
        name = f"{folder}/_rels/{file}.rels" if folder else f"_rels/{file}.rels"
        if name not in self:
            return []
        found = []
        for element in self.xml(name).iter(_RELATION):
            target, external = element.get("Target") or "", element.get("TargetMode") == "External"
            if not external:
                target = posixpath.normpath(posixpath.join("/", folder, unquote(target))).lstrip("/")
            kind = (element.get("Type") or "").rpartition("/")[2]
            found.append((element.get("Id") or "", Relation(kind, target, external)))
        return found


def listed(text: str) -> list[str]:
    """Keywords, however they are separated."""
    for separator in ";；，、":
        text = text.replace(separator, ",")
    return [word.strip() for word in text.split(",") if word.strip()]


def meaningful_title(metadata: Metadata) -> str:
    """The title that somebody gave the document; empty if a program did."""
    title = metadata.get("title", "")
    return title if isinstance(title, str) and title.strip().lower() not in _MEANINGLESS_TITLES else ""


def is_on(element: Element | None, attribute: str) -> bool:
    """Whether a switch like `<w:vanish/>` is there and on."""
    return element is not None and element.get(attribute, "1") not in ("0", "false", "off", "none")


def whole(text: str | None, default: int = 0) -> int:
    """`text` as a whole number, if it is one of a sensible size."""
    try:
        number = int(float(text or ""))
    except (ValueError, OverflowError):
        return default
    return number if abs(number) < 1 << 40 else default


def chosen(element: Element) -> Element:
    """The branch of `mc:AlternateContent` that a present program shows."""
    branch = element.find(f"{MC}Choice")
    branch = element.find(f"{MC}Fallback") if branch is None else branch
    return branch if branch is not None else ()
