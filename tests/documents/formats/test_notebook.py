import json

import pytest

from jargonaut.core.errors import InputError
from jargonaut.documents.formats.notebook import NotebookParser


def cell(kind, source, **more):
    return {"cell_type": kind, "source": source, "metadata": {}, **more}


def parsed(cells, metadata=None, **more):
    notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": metadata or {}, "cells": cells, **more}
    return NotebookParser().parse(json.dumps(notebook).encode(), "a.ipynb")


def blocks(document):
    return [(block.kind, document.text[block.start : block.end], block.place.cell) for block in document.blocks]


def test_text_code_and_what_it_printed():
    page = "<style>td {color: red}</style><table><thead><tr><th>x</th></tr></thead><tr><td>1</td></tr></table>"
    document = parsed(
        [
            cell("markdown", ["# Yield\n", "\n", "Of *line* 3."]),
            cell(
                "code",
                "df.head()",
                outputs=[
                    {"output_type": "stream", "name": "stdout", "text": ["read 2\n", "rows"]},
                    {"output_type": "execute_result", "data": {"text/html": page, "text/plain": "no"}},
                    {"output_type": "display_data", "data": {"image/png": "iVBOR", "text/plain": "<Figure>"}},
                    {"output_type": "error", "ename": "KeyError", "evalue": "'z'", "traceback": ["long"]},
                ],
            ),
            cell("raw", "As it is."),
        ],
        {"authors": [{"name": "Ann"}, {"name": "Bo"}], "title": "Yields", "tags": ["a", "b"]},
    )
    assert blocks(document) == [
        ("heading", "Yield", "cell 1"),
        ("paragraph", "Of line 3.", "cell 1"),
        ("code", "    df.head()", "cell 2"),
        ("code", "    read 2\n    rows", "cell 2"),
        ("table", "x\n1", "cell 2"),
        ("code", "    <Figure>", "cell 2"),
        ("code", "    KeyError: 'z'", "cell 2"),
        ("paragraph", "As it is.", "cell 3"),
    ]
    assert (document.title, document.metadata["author"], document.metadata["tags"]) == ("Yields", "Ann, Bo", ("a", "b"))


def test_front_matter_and_who_may_read_it():
    document = parsed([cell("raw", "x"), cell("markdown", "y")], {"allow": ["group:hr"]})
    assert document.metadata["allow"] == ("group:hr",)
    document = parsed([cell("markdown", "---\nallow: group:hr\n---\n# T")])
    assert (document.metadata["allow"], document.text) == (("group:hr",), "T")


def test_the_format_before():
    notebook = {"nbformat": 3, "worksheets": [{"cells": [{"cell_type": "code", "input": ["1+1"], "outputs": []}]}]}
    assert NotebookParser().parse(json.dumps(notebook).encode(), "a.ipynb").text == "    1+1"


@pytest.mark.parametrize("data", [b'{"cells": 3}', b'{"cells": [1, null, {}]}', b'{"cells": [], "worksheets": [2]}'])
def test_a_notebook_without_anything(data):
    assert NotebookParser().parse(data, "a.ipynb").text == ""


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b"{" * 100_000, b"\x00\x01"])
def test_what_is_no_notebook_is_refused(data):
    with pytest.raises(InputError):
        NotebookParser().parse(data, "a.ipynb")
