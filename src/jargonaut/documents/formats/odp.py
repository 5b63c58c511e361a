"""ODP: slides in their order, each as a section."""

from __future__ import annotations

from jargonaut.core.canonical import digest_bytes
from jargonaut.core.document import Document, Place
from jargonaut.documents.composing import Composer, Inline
from jargonaut.documents.formats.hidden import HIDDEN_SLIDE, OFF_THE_PAGE, WHITE
from jargonaut.documents.formats.odf import (
    DRAW,
    EMU_A_POINT,
    FO,
    PRESENTATION,
    STYLE,
    SVG,
    TEXT,
    OdfPackage,
    all_text,
    points,
)
from jargonaut.documents.formats.odf_text import OdfText
from jargonaut.documents.formats.ooxml import meaningful_title
from jargonaut.documents.formats.package import Element
from jargonaut.documents.formats.pptx_shapes import Box, Shape, in_reading_order

_MEDIA_TYPE = "application/vnd.oasis.opendocument.presentation"
_DROPPED = frozenset({"header", "footer", "date-time", "page-number"})
_LONGEST_TITLE = 100
_USUAL_SIZE = (28 / 2.54 * 72, 21 / 2.54 * 72)


class OdpParser:
    """See `documents.port.Parser`."""

    def parse(self, data: bytes, uri: str) -> Document:
        """See `Parser.parse`."""
        package = OdfPackage(data, "ODP", "presentation")
        composer = Composer()
        text = OdfText(package, composer, uri)
        width, height = _size(package)
        for number, page in enumerate(package.body.iterfind(f"{DRAW}page"), start=1):
            style = page.get(f"{DRAW}style-name")
            visibility = text.styles.property("drawing-page", style, "drawing-page", f"{PRESENTATION}visibility")
            if visibility == "hidden":
                composer.hide(HIDDEN_SLIDE, "".join(all_text(each) for each in page.iter(f"{TEXT}p")))
                continue
            text.place = Place(page=number)
            _add(composer, text, page, number, width, height)
        metadata = package.metadata()
        return composer.document(uri, digest_bytes(data), _MEDIA_TYPE, metadata, meaningful_title(metadata))


def _size(package: OdfPackage) -> tuple[float, float]:
    """Width and height of the slides, in points."""
    properties = package.styles.iter(f"{STYLE}page-layout-properties") if package.styles is not None else ()
    sizes = [(points(each.get(f"{FO}page-width")), points(each.get(f"{FO}page-height"))) for each in properties]
    known = [(width, height) for width, height in sizes if width and height]
    return max(known, default=_USUAL_SIZE)


def _add(composer: Composer, text: OdfText, page: Element, number: int, width: float, height: float) -> None:
    shapes = []
    for element in page:
        kind = element.get(f"{PRESENTATION}class") or "other"
        if not str(element.tag).startswith(DRAW) or kind in _DROPPED or element.get(f"{PRESENTATION}placeholder"):
            continue
        box = _box(element)
        if box is not None and not _is_on_page(box, width * EMU_A_POINT, height * EMU_A_POINT):
            composer.hide(OFF_THE_PAGE, "".join(all_text(each) for each in element.iter(f"{TEXT}p")))
            continue
        shapes.append(Shape(element, box, kind, ()))
    shapes = in_reading_order(shapes, int(height * EMU_A_POINT))
    titles = [shape for shape in shapes if shape.is_title and _said(shape.element)]
    titles = titles or [shape for shape in shapes if _said(shape.element)][:1]
    title = _said(titles[0].element) if titles else ""
    is_title = bool(titles) and (titles[0].is_title or 0 < len(title) <= _LONGEST_TITLE)
    heading = Inline()
    heading.add(title if is_title else f"Slide {number}")
    composer.heading(heading, 1, Place(page=number))
    for shape in shapes:
        if not (is_title and shape is titles[0]):
            text.blocks([shape.element], WHITE)
    for frame in page.iterfind(f"{PRESENTATION}notes/{DRAW}frame"):
        if frame.get(f"{PRESENTATION}class") == "notes":
            for paragraph in frame.iter(f"{TEXT}p"):
                text.note(paragraph, Place(page=number))


def _said(element: Element) -> str:
    return " ".join(filter(None, (all_text(each).strip() for each in element.iter(f"{TEXT}p"))))


def _box(element: Element) -> Box | None:
    sides = [points(element.get(f"{SVG}{name}")) for name in ("x", "y", "width", "height")]
    if any(side is None for side in sides):
        return None
    left, top, width, height = ((side or 0.0) * EMU_A_POINT for side in sides)
    return Box(left, top, width, height)


def _is_on_page(box: Box, width: float, height: float) -> bool:
    return box.left + box.width > 0 and box.top + box.height > 0 and box.left < width and box.top < height
