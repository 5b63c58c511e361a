"""ODP: slides in their order, each as a section."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from jargonaut.core.canonical import digest_bytes
from jargonaut.core.document import Document, Place
from jargonaut.documents.composing import Composer, Inline
from jargonaut.documents.formats.colours import TRANSPARENT
from jargonaut.documents.formats.hidden import COVERED, HIDDEN_SLIDE, OFF_THE_PAGE, WHITE
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
        found = package.styles.iter(f"{STYLE}master-page") if package.styles is not None else ()
        masters = {master.get(f"{STYLE}name") or "": master for master in found}
        for number, page in enumerate(package.body.iterfind(f"{DRAW}page"), start=1):
            style = page.get(f"{DRAW}style-name")
            visibility = text.styles.property("drawing-page", style, "drawing-page", f"{PRESENTATION}visibility")
            if visibility == "hidden":
                composer.hide(HIDDEN_SLIDE, "".join(all_text(each) for each in page.iter(f"{TEXT}p")))
                continue
            text.place = Place(page=number)
            _add(composer, text, page, number, width, height, masters)
        metadata = package.metadata()
        return composer.document(uri, digest_bytes(data), _MEDIA_TYPE, metadata, meaningful_title(metadata))


def _size(package: OdfPackage) -> tuple[float, float]:
    """Width and height of the slides, in points."""
    properties = package.styles.iter(f"{STYLE}page-layout-properties") if package.styles is not None else ()
    sizes = [(points(each.get(f"{FO}page-width")), points(each.get(f"{FO}page-height"))) for each in properties]
    known = [(width, height) for width, height in sizes if width and height]
    return max(known, default=_USUAL_SIZE)


def _add(
    composer: Composer,
    text: OdfText,
    page: Element,
    number: int,
    width: float,
    height: float,
    masters: Mapping[str, Element],
) -> None:
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
    grounds = _grounds(composer, text, shapes, _Backdrop.of(text, page, masters))
    shapes = [shape for shape in shapes if id(shape) in grounds]
    shapes = in_reading_order(shapes, int(height * EMU_A_POINT))
    titles = [shape for shape in shapes if shape.is_title and _said(shape.element)]
    titles = titles or [shape for shape in shapes if _said(shape.element)][:1]
    heading = Inline()
    if titles:
        shape = titles[0]
        fill = text.fill_of(shape.element)
        heading = text.said(shape.element, grounds[id(shape)] if fill == TRANSPARENT else fill)
    title = heading.text
    is_title = bool(titles) and (titles[0].is_title or 0 < len(title) <= _LONGEST_TITLE)
    if not (is_title and title):
        heading = Inline()
        heading.add(f"Slide {number}")
    composer.heading(heading, 1, Place(page=number))
    for shape in shapes:
        if not (is_title and shape is titles[0]):
            text.blocks([shape.element], grounds[id(shape)])
    for frame in page.iterfind(f"{PRESENTATION}notes/{DRAW}frame"):
        if frame.get(f"{PRESENTATION}class") == "notes":
            for paragraph in frame.iter(f"{TEXT}p"):
                text.note(paragraph, Place(page=number))


@dataclass(frozen=True, slots=True)
class _Backdrop:
    """What all shapes of a slide lie on."""

    colour: str | None
    painted: tuple[tuple[Box, str | None], ...]

    @staticmethod
    def of(text: OdfText, page: Element, masters: Mapping[str, Element]) -> _Backdrop:
        """The background of a slide or of its master, and the shapes of the latter."""
        master = masters.get(page.get(f"{DRAW}master-page-name") or "")
        colour: str | None = WHITE
        for owner in (page, master):
            style = owner.get(f"{DRAW}style-name") if owner is not None else None
            fill = text.styles.property("drawing-page", style, "drawing-page", f"{DRAW}fill")
            stated = text.styles.property("drawing-page", style, "drawing-page", f"{DRAW}fill-color")
            if fill not in ("", "none"):
                colour = stated[1:].lower() if fill == "solid" and len(stated) == 7 else None
                break
        painted: list[tuple[Box, str | None]] = []
        for element in master if master is not None else ():
            box, inner = _box(element), text.fill_of(element)
            if box and not element.get(f"{PRESENTATION}placeholder") and inner != TRANSPARENT:
                painted.append((box, inner))
        return _Backdrop(colour, tuple(painted))


def _grounds(composer: Composer, text: OdfText, shapes: Sequence[Shape], backdrop: _Backdrop) -> dict[int, str | None]:
    """The colour behind each of `shapes`, which come in the order of painting; covered ones are counted, not named."""
    painted: list[tuple[int, Box, str | None]] = []
    for number, shape in enumerate(shapes):
        fill = text.fill_of(shape.element)
        if shape.box and fill != TRANSPARENT and str(shape.element.tag) != f"{DRAW}line":
            painted.append((number, shape.box, fill if _is_box(shape.element) else None))
    grounds: dict[int, str | None] = {}
    for number, shape in enumerate(shapes):
        box = shape.box
        if box and any(later > number and fill and lid.holds(box) for later, lid, fill in painted):
            composer.hide(COVERED, "".join(all_text(each) for each in shape.element.iter(f"{TEXT}p")))
            continue
        below = [fill for lid, fill in backdrop.painted if box and lid.covers(box)]
        below += [fill for earlier, lid, fill in painted if box and earlier < number and lid.covers(box)]
        grounds[id(shape)] = below[-1] if below else backdrop.colour
    return grounds


def _is_box(element: Element) -> bool:
    """Whether it fills its box: a frame or a rectangle that is not turned."""
    form = element.find(f"{DRAW}enhanced-geometry")
    kind = form.get(f"{DRAW}type") if form is not None else "rectangle"
    shape = str(element.tag).removeprefix(DRAW)
    turned = "rotate" in (element.get(f"{DRAW}transform") or "")
    return shape in ("rect", "frame", "custom-shape") and kind in ("rectangle", "round-rectangle") and not turned


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
