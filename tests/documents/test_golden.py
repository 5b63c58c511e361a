"""The golden set, read by our parsers in their worker processes: floors that no file may fall below."""

import json

import pytest

from benchmarks.golden_set import FOLDER, files_of
from benchmarks.readers import ours
from benchmarks.scoring import score
from jargonaut.documents.reading import Limits

UNREAD_HERE = frozenset({"scan/pump-scan.pdf", "scan/purchase-scan.pdf"})
"""A page costs ten seconds to recognise; the benchmark reads these too."""
FILES = {name: path for path in files_of() if (name := path.relative_to(FOLDER).as_posix()) not in UNREAD_HERE}

FLOORS = {
    "archive": {"text": 0.97, "order": 0.97, "cells": 0.95, "headings": 0.95, "notes": 1},
    "csv": {"text": 0.97, "order": 0.97, "cells": 0.97},
    "docx": {"text": 0.97, "order": 0.97, "cells": 0.95, "headings": 0.95, "notes": 1},
    "eml": {"text": 0.95, "order": 0.97, "cells": 0.95, "notes": 1},
    "epub": {"text": 0.97, "order": 0.97, "cells": 0.95, "headings": 0.95, "notes": 1},
    "html": {"text": 0.97, "order": 0.97, "cells": 0.95, "headings": 0.95, "notes": 1},
    "ipynb": {"text": 0.97, "order": 0.97, "cells": 0.95, "headings": 0.95, "notes": 1},
    "jsonl": {"text": 0.97, "order": 0.97, "notes": 1},
    "md": {"text": 0.97, "order": 0.97, "cells": 0.95, "headings": 0.95, "notes": 1},
    "odt": {"text": 0.97, "order": 0.97, "cells": 0.95, "headings": 0.95, "notes": 1},
    "pdf": {"text": 0.95, "order": 0.95, "cells": 0.85, "headings": 0.8, "notes": 1},
    "pptx": {"text": 0.97, "order": 0.95, "cells": 0.95, "headings": 0.95, "notes": 1},
    "scan": {"text": 0.7, "order": 0.7},
    "xlsx": {"text": 0.97, "order": 0.97, "cells": 0.95, "notes": 1},
}
"""By folder of the set. Nothing hidden may come out of any, nor heads and feet of pages."""


@pytest.fixture(scope="module")
def readings():
    """What became of every file, by name: read all at once, as a build reads them."""
    # Recognition needs more memory than parsing, and this machine may be busy.
    return dict(zip(FILES, ours(list(FILES.values()), Limits(time_s=200, memory_bytes=3 << 30)), strict=True))


def test_every_format_of_the_set_has_floors():
    assert {name.split("/")[0] for name in FILES} == FLOORS.keys()


@pytest.mark.parametrize("name", sorted(FILES))
def test_it_is_read_right(name, readings):
    path = FILES[name]
    reading = readings[name]
    folder = name.split("/")[0]
    if folder == "scan" and "ocr" in reading.error.lower():
        pytest.skip("without the extra `ocr`, scans are quarantined, and it says so")
    truth = json.loads(path.with_name(f"{path.name}.truth.json").read_text(encoding="utf-8"))
    got = score(truth, reading)
    below = {
        measure: value
        for measure, floor in FLOORS[folder].items()
        if (value := getattr(got, measure)) is not None and value < floor
    }
    assert not below, reading.error or reading.text[:2000]
    assert (got.leaks, got.running) == (0, 0), reading.text[:2000]
