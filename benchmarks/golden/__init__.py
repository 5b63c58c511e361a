"""The golden set: documents by real producers with the truth beside them.

    python -m benchmarks.golden              writes everything into tests/golden/
    python -m benchmarks.golden docx pdf     the formats that are named

It needs LibreOffice, Chromium, poppler-utils and the fonts Noto Sans CJK and DejaVu (apt), besides the `dev` packages.
What a document says is in `manuals.py`, `manuals_zh.py` and `ledgers.py`, free of any format; a producer writes it
and says in the truth only what a reader of that file can know.

`NAME.truth.json` beside each file has:

- `format`, `language`, `producer`;
- `text`: all that is read in the flow, in reading order, a unit each: headings, paragraphs, list items without their
  mark, code, captions, and tables row by row;
- `tables`: rows of cells. A merged cell has its text at its top left; the rest of it is `null`, where a reader may give
  nothing or repeat the text. `""` is a cell that is empty. A table that goes on over pages is one table;
- `headings`: level and text;
- `notes`: what must be there, wherever it is put: footnotes, slide notes, names of sheets, headers of a mail;
- `hidden`: what no reader sees, and must not come out;
- `running`: heads and feet of pages, which must not come out either, but are no secret;
- `optional`: words that may come out or not (field names, file names, labels).
"""
