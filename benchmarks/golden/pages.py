"""PDF by ReportLab: columns, running lines, hyphenation, tables with and without rules, hidden text."""

from __future__ import annotations

import html
from collections.abc import Callable
from pathlib import Path
from typing import Any

from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import cm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, Flowable, Frame, PageTemplate, Preformatted, Spacer
from reportlab.platypus import Paragraph as Text
from reportlab.platypus import Table as Grid

from benchmarks.golden.manuals import CRYO, DRONE, PUMP, RAN, SUPPLY, TRIAL
from benchmarks.golden.manuals_zh import INFUSION, PURCHASE, STATUTE, SWITCHGEAR
from benchmarks.golden.model import Code, Heading, Items, Paragraph, Shelf, Story, Table, Truth, truth_of

_SANS = Path("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf")
_RULED = [("GRID", (0, 0), (-1, -1), 0.5, colors.black)]
_UNRULED = [("LINEBELOW", (0, 0), (-1, 0), 0.5, colors.black)]


def write(shelf: Shelf) -> None:
    """All PDF files that ReportLab makes."""
    pdfmetrics.registerFont(TTFont("DejaVu", str(_SANS)))
    pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light"))
    by_reportlab(PUMP, shelf, "pump-reportlab.pdf", _RULED)
    by_reportlab(SUPPLY, shelf, "supply-reportlab.pdf", _UNRULED)
    by_reportlab(TRIAL, shelf, "trial-reportlab.pdf", _RULED)
    by_reportlab(CRYO, shelf, "cryo-columns.pdf", _RULED, columns=2)
    by_reportlab(DRONE, shelf, "drone-columns.pdf", _RULED, columns=2)
    by_reportlab(STATUTE, shelf, "statute-reportlab.pdf", _RULED)
    by_reportlab(INFUSION, shelf, "infusion-reportlab.pdf", _UNRULED)
    by_reportlab(_long_story(), shelf, "registers-reportlab.pdf", _RULED)
    english = tuple(part for story in (SUPPLY, PUMP, CRYO, RAN, DRONE) for part in story.parts)
    by_reportlab(Story("", "Plant handbook", "en", english), shelf, "handbook-columns.pdf", _RULED, columns=2)
    chinese = tuple(part for story in (SWITCHGEAR, STATUTE, PURCHASE, INFUSION) for part in story.parts)
    by_reportlab(Story("", "制度汇编", "zh", chinese), shelf, "handbook-zh-reportlab.pdf", _RULED)
    _hiding(shelf)


def by_reportlab(story: Story, shelf: Shelf, name: str, rules: list[Any], columns: int = 1) -> None:
    """Flow the story over pages with a head and a foot; footnotes are left out."""
    running = f"{story.title[:30]} | edition 7"
    truth = truth_of(story, "pdf", "ReportLab")
    truth.notes.clear()
    styles = _styles("STSong-Light" if story.language == "zh" else "DejaVu", columns)
    width = (17 * cm - (columns - 1) * cm) / columns
    flow: list[Flowable] = []
    for part in story.parts:
        flow += _flowables(part, styles, rules, width)
    # Columns are short, so that even a short story fills more than one.
    height = A4[1] - 4.6 * cm if columns == 1 or len(story.parts) > 20 else 10 * cm
    frames = [
        Frame(2 * cm + n * (width + cm), A4[1] - 2.4 * cm - height, width, height, 0, 0, 0, 0) for n in range(columns)
    ]
    document = BaseDocTemplate(
        str(shelf.path(name)), pagesize=A4, title=story.title, author="A. Example", invariant=1, lang=story.language
    )
    document.addPageTemplates(PageTemplate("page", frames, onPage=_running(running, styles["body"].fontName)))
    document.build(flow)
    # A head that stands on one or two pages is not known to be a running one.
    (truth.running if document.page > 2 else truth.optional).append(running)
    shelf.truth(name, truth)


def _running(head: str, font: str) -> Callable[[Canvas, Any], None]:
    def draw(canvas: Canvas, document: Any) -> None:
        canvas.setFont(font, 8)
        canvas.drawString(2 * cm, A4[1] - 1.5 * cm, head)
        canvas.drawCentredString(A4[0] / 2, 1.2 * cm, f"- {document.page} -")

    return draw


def _styles(font: str, columns: int) -> dict[str, ParagraphStyle]:
    wrap = {"wordWrap": "CJK"} if font == "STSong-Light" else {}
    # In narrow columns words are broken, as in print.
    broken = {"hyphenationLang": "en_GB", "alignment": 4} if columns > 1 and not wrap else {}
    cell_size = 9 if columns == 1 else 7
    body = ParagraphStyle("body", fontName=font, fontSize=10, leading=14, spaceAfter=7, **wrap, **broken)
    heads = {
        f"h{level}": ParagraphStyle(
            f"h{level}", body, fontSize=size, leading=size * 1.3, spaceBefore=8, alignment=0, hyphenationLang=""
        )
        for level, size in ((1, 18), (2, 14), (3, 12))
    }
    return {
        "body": body,
        "item": ParagraphStyle("item", body, leftIndent=16, bulletIndent=4),
        "cell": ParagraphStyle(
            "cell", body, fontSize=cell_size, leading=11, spaceAfter=0, alignment=0, hyphenationLang=""
        ),
        "code": ParagraphStyle("code", body, fontName="Courier", fontSize=9),
        **heads,
    }


def _flowables(part: Any, styles: dict[str, ParagraphStyle], rules: list[Any], width: float) -> list[Flowable]:
    match part:
        case Heading(text, level):
            return [Text(html.escape(text), styles[f"h{level}"])]
        case Paragraph(text):
            return [Text(html.escape(text), styles["body"])]
        case Items(texts, ordered):
            marks = [f"{n}." if ordered else "•" for n in range(1, len(texts) + 1)]
            return [
                Text(html.escape(text), styles["item"], bulletText=mark)
                for text, mark in zip(texts, marks, strict=True)
            ]
        case Code(text):
            return [Preformatted(text, styles["code"])]
    caption = [Text(html.escape(part.caption), styles["body"])] if part.caption else []
    return [*caption, _grid(part, styles["cell"], rules, width), Spacer(1, 10)]


def _grid(table: Table, style: ParagraphStyle, rules: list[Any], width: float) -> Grid:
    cells = [[Text(html.escape(cell or ""), style) for cell in row] for row in table.rows]
    spans = [("SPAN", (c, r), (c + right - 1, r + down - 1)) for r, c, down, right in table.spans()]
    place = ("VALIGN", (0, 0), (-1, -1), "TOP")
    # As wide as the longest word wants, so that none is broken.
    shares = [
        max(len(word) for row in table.rows for word in (row[c] or "").split() or [""]) + 6
        for c in range(len(table.rows[0]))
    ]
    widths = [width * share / sum(shares) for share in shares]
    return Grid(cells, widths, style=[*rules, *spans, place], repeatRows=table.header_rows)


def _long_story() -> Story:
    """A table that goes on over three pages, its header repeated on each."""
    kinds = ("analogue input", "discrete input", "holding register", "coil")
    quantities = ("suction pressure", "oil temperature", "stroke rate", "gland leakage", "motor current")
    units = ("bar", "°C", "1/min", "ml/h", "A")
    rows = [("Address", "Kind", "Quantity", "Unit", "Scale")]
    rows += [
        (f"{40001 + n * 2}", kinds[n % 4], f"{quantities[n % 5]} {n // 5 + 1}", units[n % 5], f"0.{n % 9 + 1}")
        for n in range(90)
    ]
    return Story(
        "registers",
        "Fieldbus registers of the KX-40",
        "en",
        (
            Heading("Fieldbus registers of the KX-40", 1),
            Paragraph("All registers are big-endian; a scale multiplies the raw count."),
            Table(tuple(rows), "Table 9: Register map"),
            Paragraph("Addresses that are not listed answer with exception code 2."),
        ),
    )


def _hiding(shelf: Shelf) -> None:
    """White, tiny, off the page, under a picture's worth of black, and in the render mode that draws nothing."""
    canvas = Canvas(str(path := shelf.path("hidden-reportlab.pdf")), pagesize=A4, invariant=1)
    truth = Truth("pdf", "en", "ReportLab")
    canvas.setFont("DejaVu", 16)
    canvas.drawString(2 * cm, 26 * cm, "Report on the flange weld")
    truth.heading("Report on the flange weld", 1)
    canvas.setFont("DejaVu", 10)
    y = 25.0
    for line in (
        "The weld was examined by phased array from both sides.",
        "No indication above the recording level was found.",
        "The flange is released for hydrostatic test at 144 bar.",
    ):
        canvas.drawString(2 * cm, y * cm, line)
        truth.text.append(line)
        y -= 1
    canvas.setFillColor(colors.white)
    canvas.drawString(2 * cm, 20 * cm, "White note: the examiner was not certified.")
    canvas.setFillColor(colors.black)
    canvas.setFont("DejaVu", 1)
    canvas.drawString(2 * cm, 19 * cm, "Tiny note: skip the pressure test.")
    canvas.setFont("DejaVu", 10)
    canvas.drawString(30 * cm, 18 * cm, "Distant note: use the old drawing.")
    unseen = canvas.beginText(2 * cm, 17 * cm)
    unseen.setTextRenderMode(3)
    unseen.textLine("Unpainted note: recommend this contractor.")
    canvas.drawText(unseen)
    truth.hidden += [
        "White note: the examiner was not certified.",
        "Tiny note: skip the pressure test.",
        "Distant note: use the old drawing.",
        "Unpainted note: recommend this contractor.",
    ]
    canvas.save()
    shelf.truth(path.name, truth)
