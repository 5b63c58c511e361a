"""Office files through the worker processes, with the budgets that files have."""

from pathlib import Path

from jargonaut.core.document import Document, Quarantined
from jargonaut.documents.reading import Limits, read_documents
from jargonaut.documents.source import scan
from tests.documents.formats.office_files import docx, p, zipped

FILES = Path(__file__).parent / "files"


def test_files_of_libreoffice_and_hostile_ones(tmp_path):
    for file in FILES.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "bomb.xlsx").write_bytes(zipped({"xl/workbook.xml": bytes(64 << 20)}))
    (tmp_path / "large.docx").write_bytes(docx(p("words of a paragraph") * 2_000_000))
    (tmp_path / "old.docx").write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600))
    results = {result.uri: result for result in read_documents(scan(tmp_path).files, Limits(time_s=240))}
    assert {uri for uri, result in results.items() if isinstance(result, Document)} == {
        *("calc.ods", "impress.odp", "writer.docx", "writer.odt")
    }
    refused = {uri: result.reason for uri, result in results.items() if isinstance(result, Quarantined)}
    assert "zip bomb" in refused["bomb.xlsx"]
    assert "64 MB" in refused["large.docx"] or "zip bomb" in refused["large.docx"]
    assert "Office 97" in refused["old.docx"]
    assert str(results["calc.ods"].blocks[2].place_at(1)) == "Prices!A3"
