import io
import zipfile

import pytest

from jargonaut.core.errors import InputError
from jargonaut.documents.formats.epub import EpubParser

CONTAINER = """<?xml version="1.0"?><container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>
<rootfile full-path="OEBPS/book.opf" media-type="application/oebps-package+xml"/></rootfiles></container>"""
PACKAGE = """<?xml version="1.0"?><package xmlns="http://www.idpf.org/2007/opf" version="3.0">
<metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>Pump manual</dc:title><dc:creator>Ann</dc:creator>
<dc:date>2023/4/5</dc:date><dc:language>en-GB</dc:language><dc:subject>pumps</dc:subject><dc:subject>oil</dc:subject>
</metadata><manifest>
<item id="two" href="text/two.xhtml" media-type="application/xhtml+xml"/>
<item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>
<item id="one" href="text/one%20a.xhtml" media-type="application/xhtml+xml"/>
<item id="gone" href="text/gone.xhtml" media-type="application/xhtml+xml"/>
<item id="pic" href="p.png" media-type="image/png"/></manifest>
<spine><itemref idref="nav"/><itemref idref="one"/><itemref idref="gone"/><itemref idref="two"/></spine></package>"""
ONE = """<html xmlns="http://www.w3.org/1999/xhtml"><head><style>.x {display: none}</style></head><body>
<h1>Start</h1><p>Open the <b>valve</b>.</p><p class="x">poison</p></body></html>"""
TWO = "<html><body><h1>Stop</h1><table><tr><th>a</th></tr><tr><td>1</td></tr></table></body></html>"
FILES = {
    "mimetype": "application/epub+zip", "META-INF/container.xml": CONTAINER, "OEBPS/book.opf": PACKAGE,
    "OEBPS/nav.xhtml": "<html><body><p>contents</p></body></html>", "OEBPS/text/one a.xhtml": ONE,
    "OEBPS/text/two.xhtml": TWO,
}  # fmt: skip


def book(**changed):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {**FILES, **changed}.items():
            if content is not None:
                archive.writestr(name, content)
    return data.getvalue()


def test_chapters_in_the_order_of_reading():
    document = EpubParser().parse(book(), "a.epub")
    assert document.text == "Start\n\nOpen the valve.\n\nStop\n\na\n1"
    assert [block.place.page for block in document.blocks] == [1, 1, 3, 3]
    assert (document.title, document.language) == ("Pump manual", "en")
    assert document.metadata == {
        "title": "Pump manual", "author": "Ann", "date": "2023-04-05", "lang": "en-GB", "tags": ("pumps", "oil"),
    }  # fmt: skip
    assert document.hidden == {"not displayed": 6}


BOMB = (
    '<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(12))
    + "]><container><rootfile full-path='&m;'/></container>"
)
ELSEWHERE = (
    '<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a SYSTEM "file:///etc/passwd">]><container>'
    "<rootfile full-path='x'/>&a;</container>"
)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"PK\x03\x04",
        b"not a zip" * 50,
        book(**{"META-INF/container.xml": None}),
        book(**{"META-INF/container.xml": "<a"}),
        book(**{"META-INF/container.xml": "<container/>"}),
        book(**{"OEBPS/book.opf": None}),
        book(**{"META-INF/container.xml": BOMB}),
        book(**{"META-INF/container.xml": ELSEWHERE}),
        book(**{"OEBPS/text/two.xhtml": b"0" * (201 << 20)}),
    ],
    ids=range(10),
)
def test_what_is_no_book_is_refused(data):
    with pytest.raises(InputError) as refused:
        EpubParser().parse(data, "a.epub")
    assert refused.value.hint


def test_a_book_hides_text_by_its_own_style_sheet():
    page = """<html xmlns="http://www.w3.org/1999/xhtml"><head><link rel="stylesheet" href="../css/b%20k.css"/></head>
        <body><p>Shown</p><p class="gone">poison</p></body></html>"""
    document = EpubParser().parse(
        book(**{"OEBPS/text/two.xhtml": page, "OEBPS/css/b k.css": ".gone { position: absolute; left: -9999px }"}),
        "a.epub",
    )
    assert "Shown" in document.text
    assert "poison" not in document.text.removeprefix("Start")
    assert document.hidden["off the page"] == 6
