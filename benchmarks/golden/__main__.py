"""Write the golden set: `python -m benchmarks.golden [FORMAT ...]`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.golden import archives, mail, opendocument, pages, prints, sheets, slides, web, word
from benchmarks.golden.model import Shelf

FOLDER = Path(__file__).resolve().parents[2] / "tests" / "golden"
WRITERS: dict[str, Callable[[Shelf], None]] = {
    "docx": word.write,
    "pptx": slides.write,
    "xlsx": sheets.write_xlsx,
    "csv": sheets.write_text,
    "jsonl": sheets.write_jsonl,
    "html": web.write_html,
    "md": web.write_markdown,
    "ipynb": web.write_notebooks,
    "epub": web.write_epub,
    "odt": opendocument.write,
    "eml": mail.write,
    "archive": archives.write,
    "pdf": pages.write,
    "print": prints.write,
    "scan": prints.write_scans,
}


def main() -> None:
    """Write the groups that are named, or all."""
    for name in sys.argv[1:] or WRITERS:
        print(f"{name} ...", file=sys.stderr)
        WRITERS[name](Shelf(FOLDER / ("pdf" if name == "print" else name)))


if __name__ == "__main__":
    main()
