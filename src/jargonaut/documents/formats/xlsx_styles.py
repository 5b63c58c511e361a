"""Styles of an XLSX workbook: how a cell shows its number, and whether a reader sees it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from jargonaut.documents.formats.colours import Scheme, theme_scheme
from jargonaut.documents.formats.hidden import SAME_COLOUR, SMALLEST_POINTS, TOO_SMALL, WHITE, same_colour
from jargonaut.documents.formats.number_format import general, number_formatter, text_formatter
from jargonaut.documents.formats.ooxml import OfficePackage, S, whole
from jargonaut.documents.formats.package import Element

_BUILT_IN = {
    **{0: "General", 1: "0", 2: "0.00", 3: "#,##0", 4: "#,##0.00", 9: "0%", 10: "0.00%", 11: "0.00E+00"},
    **{12: "# ?/?", 13: "# ??/??", 15: "d-mmm-yy", 16: "d-mmm", 17: "mmm-yy", 18: "h:mm AM/PM"},
    **{19: "h:mm:ss AM/PM", 20: "h:mm", 21: "h:mm:ss", 37: "#,##0_);(#,##0)", 38: "#,##0_);[Red](#,##0)"},
    **{39: "#,##0.00_);(#,##0.00)", 40: "#,##0.00_);[Red](#,##0.00)", 45: "mm:ss", 46: "[h]:mm:ss", 47: "mm:ss.0"},
    **{41: "#,##0;-#,##0", 42: "$#,##0;-$#,##0", 43: "#,##0.00;-#,##0.00", 44: "$#,##0.00;-$#,##0.00"},
    **{48: "##0.0E+0", 49: "@"},
    # These two follow the reader's system, so there is no one way in which they are written.
    **{14: "yyyy-mm-dd", 22: "yyyy-mm-dd h:mm"},
    # What Chinese Excel means by those that depend on the language.
    **dict.fromkeys((27, 36, 50, 52, 57), 'yyyy"年"m"月"'),
    **dict.fromkeys((28, 29, 51, 53, 54, 58), 'm"月"d"日"'),
    **{30: "m-d-yy", 31: 'yyyy"年"m"月"d"日"', 32: 'h"时"mm"分"', 33: 'h"时"mm"分"ss"秒"'},
    **dict.fromkeys((34, 55), '上午/下午h"时"mm"分"'),
    **dict.fromkeys((35, 56), '上午/下午h"时"mm"分"ss"秒"'),
}
_THEME_ORDER = ("lt1", "dk1", "lt2", "dk2", "accent1", "accent2", "accent3", "accent4", "accent5", "accent6")
_INDEXED = {
    **{index: colour for start in (0, 8) for index, colour in enumerate(("000000", WHITE, "ff0000"), start)},
    64: "000000",
    65: WHITE,
}


@dataclass(frozen=True, slots=True)
class CellStyle:
    """How a cell shows what it holds."""

    number: Callable[[float], str]
    is_general: bool = True
    text: str | None = None
    """For text, with `@` where it stands; None if it is shown as it is."""
    hidden: str = ""
    """Why a reader does not see it; empty if a reader does."""
    ground: str | None = WHITE


class CellStyles:
    """The styles of the workbook whose main part is in `package`."""

    def __init__(self, package: OfficePackage, epoch_1904: bool) -> None:
        root = package.related_xml(package.main_name, "styles")
        self._scheme = theme_scheme(package, package.main_name)
        self._epoch_1904 = epoch_1904
        self._codes = {}
        self._fonts: list[Element] = []
        self._fills: list[Element] = []
        formats: list[Element] = []
        if root is not None:
            for element in root.iterfind(f"{S}numFmts/{S}numFmt"):
                self._codes[whole(element.get("numFmtId"))] = element.get("formatCode") or "General"
            self._fonts = root.findall(f"{S}fonts/{S}font")
            self._fills = root.findall(f"{S}fills/{S}fill")
            formats = root.findall(f"{S}cellXfs/{S}xf")
        made: dict[tuple[str | None, ...], CellStyle] = {}
        self._styles: list[CellStyle] = []
        for element in formats:
            key = (element.get("numFmtId"), element.get("fontId"), element.get("fillId"))
            if key not in made:
                made[key] = self._style(element)
            self._styles.append(made[key])
        self._default = CellStyle(general)
        self._by_index: dict[str | None, CellStyle] = {}

    def __getitem__(self, index: str | None) -> CellStyle:
        """The style that a cell names by `index`."""
        style = self._by_index.get(index)
        if style is None:
            number = whole(index)
            style = self._styles[number] if 0 <= number < len(self._styles) else self._default
            self._by_index[index] = style
        return style

    def run_hidden(self, properties: Element | None) -> str:
        """Why a run of text is not seen on a white cell; empty if it is."""
        return _hidden(properties, WHITE, self._scheme)

    def _style(self, element: Element) -> CellStyle:
        format_id = whole(element.get("numFmtId"))
        code = self._codes.get(format_id) or _BUILT_IN.get(format_id, "General")
        is_general = code.lower() == "general"
        font = _at(self._fonts, element.get("fontId"))
        ground = _ground(_at(self._fills, element.get("fillId")), self._scheme)
        return CellStyle(
            general if is_general else number_formatter(code, self._epoch_1904),
            is_general or code == "@",
            None if is_general or code == "@" else text_formatter(code),
            _hidden(font, ground, self._scheme),
            ground,
        )


def _at(elements: list[Element], index: str | None) -> Element | None:
    number = whole(index)
    return elements[number] if 0 <= number < len(elements) else None


def _hidden(font: Element | None, ground: str | None, scheme: Scheme) -> str:
    if font is None:
        return ""
    size = font.find(f"{S}sz")
    try:
        points = float(size.get("val")) if size is not None else SMALLEST_POINTS + 1
    except (TypeError, ValueError):
        points = SMALLEST_POINTS + 1
    if points <= SMALLEST_POINTS:
        return TOO_SMALL
    colour = _colour(font.find(f"{S}color"), scheme)
    return SAME_COLOUR if same_colour(colour, ground) else ""


def _ground(fill: Element | None, scheme: Scheme) -> str | None:
    """Colour that a cell is filled with; None if it is more than one."""
    if fill is None or not len(fill):
        return WHITE
    pattern = fill.find(f"{S}patternFill")
    if pattern is None:
        return None
    kind = pattern.get("patternType") or "none"
    if kind == "none":
        return WHITE
    return _colour(pattern.find(f"{S}fgColor"), scheme) if kind == "solid" else None


def _colour(element: Element | None, scheme: Scheme) -> str | None:
    if element is None or element.get("tint") not in (None, "0"):
        return None
    if rgb := element.get("rgb"):
        return str(rgb)[-6:].lower()
    if theme := element.get("theme"):
        number = whole(theme, -1)
        return scheme.get(_THEME_ORDER[number]) if 0 <= number < len(_THEME_ORDER) else None
    return _INDEXED.get(whole(element.get("indexed"), -1))
