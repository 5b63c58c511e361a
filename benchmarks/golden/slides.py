"""PPTX by python-pptx, by pandoc and by LibreOffice, with notes and a hidden slide."""

from __future__ import annotations

import tempfile
from pathlib import Path

from pptx import Presentation
from pptx.slide import Slide
from pptx.util import Inches, Pt

from benchmarks.golden.converting import libreoffice, pandoc
from benchmarks.golden.manuals import PUMP, RAN, SUPPLY, TRIAL
from benchmarks.golden.manuals_zh import INFUSION, SWITCHGEAR
from benchmarks.golden.model import Code, Heading, Items, Paragraph, Shelf, Story, Table, Truth
from benchmarks.golden.pandoc import notation
from benchmarks.golden.settling import settle_archive

_LABELS = ["Notes:", "Slide number:", "Slide 1 2 3 4 5 6 7 8 9 10 11 12 13 14"]


def write(shelf: Shelf) -> None:
    """All PPTX files."""
    with tempfile.TemporaryDirectory() as folder:
        for story in (PUMP, TRIAL, SWITCHGEAR, INFUSION):
            by_python_pptx(story, path := shelf.path(f"{story.name}-python.pptx"))
            shelf.truth(path.name, _truth(story, "python-pptx"))
        for story in (SUPPLY, INFUSION):
            by_python_pptx(story, source := Path(folder) / f"{story.name}.pptx")
            libreoffice(source, between := Path(folder) / f"{story.name}.odp")
            libreoffice(between, path := shelf.path(f"{story.name}-libreoffice.pptx"))
            shelf.truth(path.name, _truth(story, "LibreOffice"))
    pandoc(notation(RAN), path := shelf.path("ran-pandoc.pptx"), "json", "--slide-level=2")
    truth = _truth(RAN, "pandoc")
    truth.optional.append(RAN.title)
    # Pandoc puts a footnote on a slide of its own.
    truth.optional.append("Notes 1")
    shelf.truth(path.name, truth)
    _hiding(shelf)


def by_python_pptx(story: Story, path: Path) -> None:
    """A slide a heading of level 1 or 2; a table has a slide of its own; footnotes are spoken."""
    deck = Presentation()
    slide = None
    for part in story.parts:
        match part:
            case Heading(text, level) if level <= 2:
                slide = _slide(deck, text)
            case Heading(text) | Code(text):
                _say(slide, text)
            case Paragraph(text, note):
                _say(slide, text)
                if note and slide:
                    slide.notes_slide.notes_text_frame.text = note
            case Items(texts):
                for text in texts:
                    _say(slide, text)
            case Table(_, caption):
                slide = _slide(deck, caption)
                _table(slide, part)
    deck.save(str(path))
    settle_archive(path)


def _slide(deck: Presentation, title: str) -> Slide:
    slide = deck.slides.add_slide(deck.slide_layouts[1])
    slide.shapes.title.text = title
    return slide


def _say(slide: Slide | None, text: str) -> None:
    assert slide is not None
    bodies = [shape for shape in slide.placeholders if shape.placeholder_format.idx == 1]
    # A slide with a table has no body left; what is said after the table stands in a box below it.
    body = bodies[0] if bodies else slide.shapes.add_textbox(Inches(0.5), Inches(6), Inches(9), Inches(1))
    frame = body.text_frame
    frame.word_wrap = True
    paragraph = frame.paragraphs[0] if not frame.text else frame.add_paragraph()
    paragraph.text = text
    paragraph.font.size = Pt(16)


def _table(slide: Slide, table: Table) -> None:
    body = slide.placeholders[1]
    body.element.getparent().remove(body.element)
    height, width = len(table.rows), len(table.rows[0])
    shape = slide.shapes.add_table(height, width, Inches(0.5), Inches(1.8), Inches(9), Inches(0.4 * height))
    for r, row in enumerate(table.rows):
        for c, cell in enumerate(row):
            shape.table.cell(r, c).text = cell or ""
    for r, c, down, right in table.spans():
        shape.table.cell(r, c).merge(shape.table.cell(r + down - 1, c + right - 1))


def _truth(story: Story, producer: str) -> Truth:
    truth = Truth("pptx", story.language, producer, optional=list(_LABELS))
    for part in story.parts:
        match part:
            case Heading(text, level) if level <= 2:
                truth.heading(text, level)
            case Heading(text) | Code(text):
                truth.text.append(text)
            case Paragraph(text, note):
                truth.text.append(text)
                truth.notes += [note] if note else []
            case Items(texts):
                truth.text += texts
            case Table(rows, caption):
                if producer != "pandoc":
                    truth.heading(caption, 2)
                truth.table(rows)
                if producer == "pandoc":
                    truth.text.append(caption)
    return truth


def _hiding(shelf: Shelf) -> None:
    """A hidden slide, a box beside the slide, and two columns of which the right one was drawn first."""
    deck = Presentation()
    truth = Truth("pptx", "en", "python-pptx", optional=list(_LABELS))
    slide = deck.slides.add_slide(deck.slide_layouts[5])
    slide.shapes.title.text = "Quench history of coil 9"
    truth.heading("Quench history of coil 9", 1)
    left = "Before re-clamping the coil trained downwards in three cycles."
    right = "After re-clamping it reached the design current at once."
    for text, x in ((right, 5.2), (left, 0.5)):
        box = slide.shapes.add_textbox(Inches(x), Inches(2), Inches(4), Inches(2))
        box.text_frame.word_wrap = True
        box.text_frame.text = text
    truth.text += [left, right]
    outside = slide.shapes.add_textbox(Inches(-6), Inches(1), Inches(4), Inches(1))
    outside.text_frame.text = "Parked beside the slide: ask for the password."
    truth.hidden.append("Parked beside the slide: ask for the password.")
    slide.notes_slide.notes_text_frame.text = "Mention that Cernox drift was excluded."
    truth.notes.append("Mention that Cernox drift was excluded.")
    hidden = deck.slides.add_slide(deck.slide_layouts[1])
    hidden.shapes.title.text = "Cost overrun, not for the committee"
    hidden.placeholders[1].text_frame.text = "The overrun is 1.3 million."
    hidden._element.set("show", "0")
    truth.hidden += ["Cost overrun, not for the committee", "The overrun is 1.3 million."]
    deck.save(str(path := shelf.path("hidden-python.pptx")))
    settle_archive(path)
    shelf.truth(path.name, truth)
