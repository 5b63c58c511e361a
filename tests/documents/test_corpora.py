"""The whole way from real folders to chunks, where those folders are at hand."""

import re
from pathlib import Path

import pytest

from jargonaut.chunking.by_heading import SPECIAL_TOKENS, HeadingChunker
from jargonaut.chunking.plain_tokens import word_spans
from jargonaut.core.document import Document
from jargonaut.documents.reading import read_documents
from jargonaut.documents.source import scan

CORPORA = Path(__file__).parents[2].parent / "shared" / "documents"
MARKUP = re.compile(r"\]\(http|^#{1,6} |^```|</?(?:div|span|br|p)\b", re.MULTILINE)


@pytest.mark.parametrize(("name", "language"), [("rocketmq_docs_zh_md", "zh"), ("prometheus_docs_en_md", "en")])
def test_a_real_folder(name, language):
    folder = CORPORA / name
    if not folder.is_dir():
        pytest.skip(f"{name}, a folder of public documents for trials, is not on this machine")
    files = scan(folder).files
    documents = list(read_documents(files, workers=2))
    assert all(isinstance(document, Document) for document in documents)
    assert {document.uri for document in documents} == {file.uri for file in files}
    with_text = [document for document in documents if len(document.text) > 200]
    assert sum(document.language == language for document in with_text) >= 0.97 * len(with_text)
    assert sum(len(document.references) for document in documents) > 50
    prose = "\n".join(
        document.text[block.start : block.end]
        for document in documents
        for block in document.blocks
        if block.kind in ("paragraph", "heading")
    )
    assert len(MARKUP.findall(prose)) <= 3
    chunker = HeadingChunker(word_spans, 256, "words")
    chunks = [chunk for document in documents for chunk in chunker.split(document)]
    assert len({chunk.id for chunk in chunks}) == len(chunks) > 500
    assert all(len(word_spans(chunk.indexed_text)) + SPECIAL_TOKENS <= 256 for chunk in chunks)
