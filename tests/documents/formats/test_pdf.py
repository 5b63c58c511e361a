import pytest

from jargonaut.core.errors import InputError
from jargonaut.documents.formats.pdf import PdfParser, parser
from jargonaut.documents.heartbeat import heard_by


def pdf(pages, outline=(), info="", trailer=""):
    """A PDF with lines of Helvetica: `pages` of (size, text) lines, `outline` of (title, page)."""
    objects = [
        "<< /Type /Catalog /Pages 2 0 R /Outlines 4 0 R >>",
        "",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        "",
    ]
    page_numbers = []
    for lines in pages:
        operators, y = [], 780
        for size, text in lines:
            escaped = text.replace("(", r"\(").replace(")", r"\)")
            operators.append(f"BT /F1 {size} Tf 50 {y} Td ({escaped}) Tj ET")
            y -= 20
        stream = "\n".join(operators)
        objects.append(f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream")
        resources = "<< /Font << /F1 3 0 R >> >>"
        page = f"/MediaBox [0 0 600 800] /Resources {resources} /Contents {len(objects)} 0 R"
        objects.append(f"<< /Type /Page /Parent 2 0 R {page} >>")
        page_numbers.append(len(objects))
    objects[1] = f"<< /Type /Pages /Kids [{' '.join(f'{n} 0 R' for n in page_numbers)}] /Count {len(pages)} >>"
    first = len(objects) + 1
    for number, (title, page) in enumerate(outline):
        after = f"/Next {first + number + 1} 0 R" if number + 1 < len(outline) else ""
        objects.append(f"<< /Title ({title}) /Parent 4 0 R /Dest [{page_numbers[page]} 0 R /Fit] {after} >>")
    objects[3] = f"<< /Type /Outlines /First {first} 0 R /Last {len(objects)} 0 R >>" if outline else "<< >>"
    objects.append(f"<< {info} >>")
    body, offsets = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, start=1):
        offsets.append(len(body))
        body += f"{number} 0 obj\n{content}\nendobj\n".encode("latin-1")
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    size = len(objects) + 1
    end = f"xref\n0 {size}\n0000000000 65535 f \n{table}"
    end += f"trailer << /Size {size} /Root 1 0 R /Info {size - 1} 0 R {trailer} >>\n"
    return body + end.encode() + f"startxref\n{len(body)}\n%%EOF".encode()


def parse(data):
    return PdfParser().parse(data, "a/manual.pdf")


def blocks(document):
    return [(block.kind, document.text[block.start : block.end], block.place.page) for block in document.blocks]


BODY = [
    (10, "The session is stored on the server side and the cookie holds its identi-"),
    (10, "fier only. This is a long enough line to be the width of the page, is it not."),
    (10, "Short end."),
    (10, "A new paragraph begins here and goes on."),
]


def test_headings_by_size_paragraphs_lists_and_pages():
    document = parse(
        pdf([[(20, "Manual"), (14, "Sessions"), *BODY, (14, "Next")], [(10, "- one item"), (10, "- two"), (14, "End")]])
    )
    assert blocks(document) == [
        ("heading", "Manual", 1),
        ("heading", "Sessions", 1),
        (
            "paragraph",
            "The session is stored on the server side and the cookie holds its identifier only. "
            "This is a long enough line to be the width of the page, is it not. Short end.",
            1,
        ),
        ("paragraph", "A new paragraph begins here and goes on.", 1),
        ("heading", "Next", 1),
        ("list", "- one item\n- two", 2),
        ("heading", "End", 2),
    ]
    assert [block.level for block in document.blocks if block.level] == [1, 2, 2, 2]
    assert (document.title, document.language) == ("Manual", "en")


def test_headings_from_the_outline():
    data = pdf([[(10, "1.2 Sessions"), *BODY], [(10, "Signing"), *BODY]], [("Sessions", 0), ("Signing", 1)])
    assert [text for kind, text, _ in blocks(parse(data)) if kind == "heading"] == ["1.2 Sessions", "Signing"]


def test_running_heads_are_dropped():
    topics = ("Sessions", "Cookies", "Caches", "Queues", "Mails")
    pages = [
        [(10, "Acme manual"), *((size, f"{topic}: {line}") for size, line in BODY), (10, f"Page {number}")]
        for number, topic in enumerate(topics, start=1)
    ]
    text = parse(pdf(pages)).text
    assert "Acme manual" not in text
    assert "Page" not in text
    assert text.count("new paragraph") == 5


def test_metadata():
    info = "/Title (The manual) /Author (Ann) /CreationDate (D:20240301120000Z) /Keywords (cache, http)"
    document = parse(pdf([BODY], info=info))
    assert document.metadata == {
        "title": "The manual",
        "author": "Ann",
        "date": "2024-03-01",
        "tags": ("cache", "http"),
    }
    assert document.title == "The manual"


def test_empty_pages_are_refused():
    with pytest.raises(InputError, match="2 pages and no text"):
        parse(pdf([[], []]))


def test_ligatures_are_letters():
    assert parse(pdf([[(10, r"Re\256ned and \257at.")]])).text == "Refined and flat."


def test_a_password_is_asked_for():
    encrypt = "/Filter /Standard /V 1 /R 2 /P -44 /O <{0}> /U <{0}>".format("00" * 32)
    with pytest.raises(InputError, match="password"):
        parse(pdf([BODY], trailer=f"/Encrypt << {encrypt} >> /ID [<00> <00>]"))


def test_broken_files_are_refused():
    with pytest.raises(InputError, match="cannot read"):
        parse(b"%PDF-1.7 nothing")


def test_a_pdf_of_many_pages_says_that_it_gets_on(monkeypatch):
    beats = []
    monkeypatch.setattr(parser, "PAGES", 2)
    with heard_by(lambda: beats.append(1)):
        PdfParser().parse(pdf([[(12, f"Page {number} has a line of text.")] for number in range(7)]), "a.pdf")
    assert len(beats) == 3
