"""Powers, indices and marks of notes come out the same, whatever the format."""

import pytest
from openpyxl import Workbook
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from pptx import Presentation
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.platypus import Paragraph

from jargonaut.documents.formats.docx import DocxParser
from jargonaut.documents.formats.epub import EpubParser
from jargonaut.documents.formats.html import HtmlParser
from jargonaut.documents.formats.markdown import MarkdownParser
from jargonaut.documents.formats.restructuredtext import RestructuredTextParser
from jargonaut.documents.formats.xlsx import XlsxParser
from tests.documents.formats.office_files import docx, saved

from .test_epub import book
from .test_odf import odt
from .test_pdf_layout import drawn, parse
from .test_pptx import parse as parse_deck
from .test_pptx import slide_of, write

WRITTEN = "A value[5] of 10^3 Pa over 12 m² of H2O"
HTML = "A value<sup>5</sup> of 10<sup>3</sup> Pa over 12 m<sup>2</sup> of H<sub>2</sub>O"
PIECES = [("A value", ""), ("5", "+"), (" of 10", ""), ("3", "+"), (" Pa over 12 m", ""), ("2", "+"), (" of H", "")]
PIECES += [("2", "-"), ("O", "")]


def html():
    return HtmlParser().parse(f"<p>{HTML}</p>".encode(), "a.html")


def html_cell():
    return HtmlParser().parse(f"<table><tr><td>{HTML}</td></tr></table>".encode(), "a.html")


def markdown():
    return MarkdownParser().parse(HTML.encode(), "a.md")


def epub():
    return EpubParser().parse(book(**{"OEBPS/text/two.xhtml": f"<html><body><p>{HTML}</p></body></html>"}), "a.epub")


def restructured():
    text = r"A value\ :sup:`5` of 10\ :sup:`3` Pa over 12 m\ :superscript:`2` of H\ :sub:`2`\ O"
    return RestructuredTextParser().parse(text.encode(), "a.rst")


def word():
    kinds = {"": "", "+": '<w:vertAlign w:val="superscript"/>', "-": '<w:vertAlign w:val="subscript"/>'}
    runs = "".join(
        f"<w:r><w:rPr>{kinds[kind]}</w:rPr><w:t xml:space='preserve'>{text}</w:t></w:r>" for text, kind in PIECES
    )
    return DocxParser().parse(docx(f"<w:p>{runs}</w:p>"), "a.docx")


def writer():
    styles = "".join(
        f"<style:style style:name='{name}' style:family='text'><style:text-properties style:text-position='{where}'/>"
        "</style:style>"
        for name, where in (("u", "super 58%"), ("d", "-33% 58%"))
    )
    names = {"+": "u", "-": "d"}
    spans = [
        f"<text:span text:style-name='{names[kind]}'>{text}</text:span>" if kind else text for text, kind in PIECES
    ]
    return odt(f"<text:p>{''.join(spans)}</text:p>", styles)


def slides():
    deck = Presentation()
    frame = write(slide_of(deck, 5, "T"), "").text_frame
    for text, kind in PIECES:
        run = frame.paragraphs[0].add_run()
        run.text = text
        if kind:
            run.font._element.set("baseline", "30000" if kind == "+" else "-25000")
    return parse_deck(deck)


def sheet():
    kinds = {"+": "superscript", "-": "subscript", "": None}
    pieces = [TextBlock(InlineFont(vertAlign=kinds[kind]), text) for text, kind in PIECES]
    workbook = Workbook()
    workbook.active["A1"] = CellRichText(*pieces)
    return XlsxParser().parse(saved(workbook), "a.xlsx")


def pdf():
    def page(canvas):
        said = HTML.replace("<sup>", "<super>").replace("</sup>", "</super>")
        paragraph = Paragraph(said, getSampleStyleSheet()["Normal"])
        paragraph.wrap(400, 100)
        paragraph.drawOn(canvas, 50, 400)

    return parse(drawn(page))


@pytest.mark.parametrize("made", [html, html_cell, markdown, epub, restructured, word, writer, slides, sheet, pdf])
def test_what_is_raised_or_lowered_is_written_in_one_way(made):
    assert WRITTEN in made().text


@pytest.mark.parametrize(
    "mark",
    [
        "<sup><a href='#n5'>5</a></sup>",
        "<sup class='reference'><a href='#n5'>[5]</a></sup>",
        "<a href='notes.xhtml#n5' epub:type='noteref'>5</a>",
        "<a href='notes.xhtml#n5' role='doc-noteref'><sup>5</sup></a>",
    ],
)
@pytest.mark.parametrize("around", ["<p>{}</p>", "<table><tr><td>{}</td></tr></table>"])
def test_marks_of_notes_that_are_links(mark, around):
    document = HtmlParser().parse(around.format(f"In 1990{mark} and the{mark} end").encode(), "a.html")
    assert document.text == "In 1990[5] and the[5] end"


def test_the_number_before_a_note_is_set_apart():
    document = HtmlParser().parse(b"<p><sup>5</sup>See the manual.</p>", "a.html")
    assert document.text == "5 See the manual."
