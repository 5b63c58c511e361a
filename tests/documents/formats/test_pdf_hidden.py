"""What a reader of a PDF would not see, and pages that are pictures."""

import io
import time
from contextlib import suppress

import pypdfium2 as pdfium
import pytest
from PIL import Image
from reportlab.lib import colors
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from jargonaut.core.errors import InputError
from jargonaut.documents.formats.pdf import PdfParser, recognition

from .test_pdf_layout import drawn, lines, parse

BODY = "What everybody sees on this page."


def hidden_by(draw):
    """What is hidden beside the body, and the text."""

    def page(canvas):
        canvas.setFillColor(colors.black)
        lines(canvas, [BODY], y=400)
        draw(canvas)

    document = parse(drawn(page))
    assert BODY in document.text
    return dict(document.hidden), document.text


def secret(canvas, x=50, y=500, size=10):
    canvas.setFont("Helvetica", size)
    canvas.drawString(x, y, "Ignore this.")


def white_on_white(canvas):
    canvas.setFillColor(colors.white)
    secret(canvas)


def same_on_colour(canvas):
    canvas.setFillColor(colors.Color(0.2, 0.3, 0.6))
    canvas.rect(40, 490, 200, 30, stroke=0, fill=1)
    secret(canvas)


def nearly_transparent(canvas):
    canvas.setFillAlpha(0.01)
    secret(canvas)


def faint_over_other_text(canvas):
    canvas.drawString(50, 500, "Ignored?")
    canvas.setFillAlpha(0.02)
    secret(canvas)


def invisible_over_other_text(canvas):
    canvas.drawString(50, 500, "Seen twice")
    invisible(canvas)


def invisible(canvas):
    text = canvas.beginText(50, 500)
    text.setTextRenderMode(3)
    text.textOut("Ignore this.")
    canvas.drawText(text)


def tiny(canvas):
    secret(canvas, size=1)


def squeezed(canvas):
    canvas.saveState()
    canvas.scale(1, 0.01)
    secret(canvas, y=50_000)
    canvas.restoreState()


def beside_the_page(canvas):
    secret(canvas, x=600)


def under_a_shape(canvas):
    secret(canvas)
    canvas.setFillColor(colors.gray)
    canvas.rect(40, 490, 200, 30, stroke=0, fill=1)


def under_other_text(canvas):
    secret(canvas)
    canvas.setFillColor(colors.white)
    canvas.rect(40, 490, 200, 30, stroke=0, fill=1)
    canvas.setFillColor(colors.black)
    canvas.drawString(50, 500, "Overwritten")


def under_an_image(canvas):
    secret(canvas)
    canvas.drawImage(ImageReader(Image.new("RGB", (8, 8), "green")), 40, 490, 200, 30)


def clipped(canvas):
    canvas.saveState()
    path = canvas.beginPath()
    path.rect(0, 0, 10, 10)
    canvas.clipPath(path, stroke=0)
    secret(canvas)
    canvas.restoreState()


def in_a_form(canvas):
    canvas.beginForm("inner")
    canvas.setFillColor(colors.white)
    secret(canvas)
    canvas.endForm()
    canvas.doForm("inner")


@pytest.mark.parametrize(
    ("draw", "reason"),
    [
        (white_on_white, "same colour as its ground"),
        (same_on_colour, "same colour as its ground"),
        (in_a_form, "same colour as its ground"),
        (nearly_transparent, "not displayed"),
        (invisible, "not displayed"),
        (clipped, "not displayed"),
        (tiny, "too small to read"),
        (squeezed, "too small to read"),
        (beside_the_page, "off the page"),
        (under_a_shape, "covered"),
        (under_other_text, "covered"),
        (under_an_image, "covered"),
    ],
)
def test_hidden_text_is_left_out_and_counted(draw, reason):
    hidden, text = hidden_by(draw)
    assert "Ignore" not in text
    assert hidden == {reason: len("Ignorethis.")}


@pytest.mark.parametrize("draw", [faint_over_other_text, invisible_over_other_text])
def test_what_is_seen_in_its_place_does_not_make_text_seen(draw):
    hidden, text = hidden_by(draw)
    assert "Ignore this" not in text
    assert hidden == {"not displayed": len("Ignorethis.")}


def test_what_can_be_seen_is_not_hidden():
    def draw(canvas):
        canvas.setFillColor(colors.Color(0.1, 0.1, 0.4))
        canvas.rect(40, 490, 200, 30, stroke=0, fill=1)
        canvas.setFillColor(colors.white)
        canvas.drawString(50, 500, "White on blue")
        canvas.setFillColor(colors.Color(0.75, 0.75, 0.75))
        canvas.drawString(50, 460, "pale")
        canvas.setFillColor(colors.red)
        canvas.drawString(50, 440, "red")

    hidden, text = hidden_by(draw)
    assert not hidden
    assert all(word in text for word in ("White on blue", "pale", "red"))


def test_layers_that_are_off_are_not_read():
    data = drawn(lambda canvas: (lines(canvas, [BODY], y=400), secret(canvas)))
    document = pdfium.PdfDocument(data)
    del document
    page = (
        b"/OC /Layer BDC BT /F1 10 Tf 50 500 Td (Ignore this.) Tj ET EMC BT /F1 10 Tf 50 400 Td ("
        + BODY.encode()
        + b") Tj ET"
    )
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R /OCProperties << /OCGs [5 0 R] /D << /OFF [5 0 R] >> >> >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 400 600] /Contents 4 0 R /Resources << /Font << /F1 6 0 R >> "
        b"/Properties << /Layer 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(page), page),
        b"<< /Type /OCG /Name (Hidden) >>",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    body = b"%PDF-1.5\n" + b"".join(b"%d 0 obj\n%s\nendobj\n" % (n, o) for n, o in enumerate(objects, 1))
    found = parse(body + b"trailer << /Size 7 /Root 1 0 R >>\n%%EOF")
    assert (found.text, found.hidden) == (BODY, {"not displayed": 11})


def test_comments_are_not_text():
    def page(canvas):
        lines(canvas, [BODY], y=400)
        canvas.textAnnotation("Ignore this.", Rect=[50, 500, 100, 550], addtopage=1)

    assert parse(drawn(page)).text == BODY


def picture_of(texts, size=(400, 200)):
    """A page that is nothing but a picture of these lines."""
    pdf = pdfium.PdfDocument(drawn(lambda canvas: lines(canvas, texts, y=150, size=14, leading=22), size=size))
    return pdf[0].render(scale=3).to_pil()


def scanned(texts, layer=()):
    def page(canvas):
        canvas.drawImage(ImageReader(picture_of(texts)), 0, 0, 400, 200)
        text = canvas.beginText(50, 150)
        text.setFont("Helvetica", 14)
        text.setTextRenderMode(3)
        for line in layer:
            text.textLine(line)
        canvas.drawText(text)

    return page


def test_the_text_layer_of_a_scan_is_read_where_there_is_ink():
    def page(canvas):
        scanned(["A page that was scanned."], ["A page that was scanned."])(canvas)
        text = canvas.beginText(50, 20)
        text.setTextRenderMode(3)
        text.textOut("Ignore this.")
        canvas.drawText(text)

    document = parse(drawn(page, size=(400, 200)))
    assert document.text == "A page that was scanned."
    assert document.hidden == {"not displayed": 11}


def test_scans_without_the_extra_are_refused_with_how_to_install_it(monkeypatch):
    monkeypatch.setattr(recognition.Recogniser, "is_installed", False)
    with pytest.raises(InputError, match="looks scanned") as caught:
        parse(drawn(scanned(["A page that was scanned."]), size=(400, 200)))
    assert caught.value.hint == "Install it with: pip install 'jargonaut[ocr]'"


def test_a_document_with_some_scanned_pages_says_which_were_not_read(monkeypatch):
    monkeypatch.setattr(recognition.Recogniser, "is_installed", False)
    scan = scanned(["A page that was scanned."])
    document = parse(drawn(lambda canvas: lines(canvas, [BODY], y=100), scan, scan, scan, size=(400, 200)))
    assert document.text == BODY
    assert document.metadata["unread_pages"] == "2-4"


def test_scans_are_recognised():
    pytest.importorskip("rapidocr_onnxruntime")
    texts = ["The session is stored on the server", "and the cookie holds its identifier."]
    document = parse(drawn(lambda canvas: lines(canvas, [BODY], y=100), scanned(texts), size=(400, 200)))
    assert document.text == f"{BODY}\n\n{' '.join(texts)}"
    assert [block.place.page for block in document.blocks] == [1, 2]
    assert "unread_pages" not in document.metadata


def test_scans_for_which_there_is_no_time_are_refused_with_what_to_raise(monkeypatch):
    monkeypatch.setattr(recognition.Recogniser, "is_installed", True)
    monkeypatch.setattr(recognition, "_time_left", lambda: 5.0)
    with pytest.raises(InputError, match="no time") as caught:
        parse(drawn(scanned(["A page that was scanned."]), size=(400, 200)))
    assert "file_timeout_s" in caught.value.hint


def test_text_of_unknown_characters_is_treated_as_a_picture(monkeypatch):
    monkeypatch.setattr(recognition.Recogniser, "is_installed", False)
    with pytest.raises(InputError, match="looks scanned"):
        parse(drawn(lambda canvas: lines(canvas, [chr(0xE123) * 30], y=100, font=private_font())))


def private_font():
    """A font whose characters are of no script."""
    from pathlib import Path

    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont

    found = next(iter(Path("/usr/share/fonts").rglob("opens___.ttf")), None)
    if found is None:
        pytest.skip("needs OpenSymbol")
    pdfmetrics.registerFont(TTFont("Symbols", str(found)))
    return "Symbols"


def test_an_owner_password_keeps_nobody_from_reading():
    data = drawn(lambda canvas: lines(canvas, [BODY]), encrypt=owned())
    assert parse(data).text == BODY


def owned():
    from reportlab.lib.pdfencrypt import StandardEncryption

    return StandardEncryption("", ownerPassword="secret", canCopy=0)


def test_many_pages_and_many_paths_take_little_time_and_huge_pages_little_memory():
    def page(canvas):
        lines(canvas, [BODY], y=400)

    def paths(canvas):
        lines(canvas, [BODY], y=400)
        for number in range(30_000):
            canvas.line(number % 400, 10, number % 399, 300)

    start = time.process_time()
    assert parse(drawn(*[page] * 300)).text.count(BODY) > 1
    assert parse(drawn(paths)).text == BODY
    assert parse(drawn(lambda canvas: lines(canvas, [BODY], y=400), size=(14_400, 14_400))).text == BODY
    assert time.process_time() - start < 60


def test_forms_that_draw_each_other_and_loops_of_pages_end():
    data = io.BytesIO()
    canvas = Canvas(data, pagesize=(400, 600))
    canvas.beginForm("f0")
    lines(canvas, [BODY], y=400)
    canvas.endForm()
    for depth in range(1, 40):
        canvas.beginForm(f"f{depth}")
        canvas.doForm(f"f{depth - 1}")
        canvas.endForm()
    canvas.doForm("f39")
    canvas.drawString(50, 100, "Plain.")
    canvas.save()
    assert "Plain." in parse(data.getvalue()).text
    loop = (
        b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n"
        b"2 0 obj\n<< /Type /Pages /Kids [2 0 R 2 0 R] /Count 2 >>\nendobj\ntrailer << /Root 1 0 R >>\n%%EOF"
    )
    with pytest.raises(InputError):
        PdfParser().parse(loop, "loop.pdf")


def test_truncated_files_are_read_as_far_as_they_go_or_refused():
    data = drawn(*[lambda canvas: lines(canvas, [BODY])] * 5)
    for length in range(200, len(data), len(data) // 23):
        with suppress(InputError):
            assert BODY in parse(data[:length]).text
