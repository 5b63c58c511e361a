"""Every page is true: what can be run is run, what is generated is up to date, what is linked is there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.documentation import blocks_of, run_blocks

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("contract/*.md")])
RUN = [(page, name) for page in PAGES for name in dict.fromkeys(block.name for block in blocks_of(page.read_text()))]

SERVER = "http://localhost:9200"
"""Stands on pages for an Elasticsearch without security."""

_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_FENCED = re.compile(r"^(`{3,}).*?^\1$", re.M | re.S)


@pytest.fixture
def environment(tmp_path: Path) -> Mapping[str, str]:
    """That of a user who has installed Jargonaut, with a home of their own."""
    caches = os.environ.get("XDG_CACHE_HOME", str(Path.home() / ".cache"))  # workerd is fetched once
    home = tmp_path / "home"
    home.mkdir()
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    own = {"HOME": str(home), "XDG_CACHE_HOME": caches, "XDG_DATA_HOME": str(home / "data"), "PATH": programs}
    return {**os.environ, **own, "COLUMNS": "120"}


@pytest.mark.parametrize(("page", "name"), RUN, ids=[f"{page.name}-{name}" for page, name in RUN])
def test_what_a_page_says_happens(
    page: Path, name: str, tmp_path: Path, environment: Mapping[str, str], request: pytest.FixtureRequest
) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    text = page.read_text()
    if SERVER in "".join(block.text for block in blocks_of(text) if block.name == name):
        text = text.replace(SERVER, request.getfixturevalue("elasticsearch_server").url)
    run_blocks([block for block in blocks_of(text) if block.name == name], folder, environment)


def test_generated_pages_are_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "scripts/generate_docs.py", "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in _LINK.findall(_FENCED.sub("", page.read_text())):
        if "://" not in target and not target.startswith("mailto:"):
            path, _, anchor = target.partition("#")
            linked = (page.parent / path).resolve() if path else page
            assert linked.exists(), f"{page.name} links to {target}, which is not there"
            if anchor:
                assert anchor in _anchors(linked.read_text()), f"{page.name} links to {target}: no such heading"


def _anchors(page: str) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", _FENCED.sub("", page), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


SAMPLE = """
# A page

<!-- run: sample file=notes/a.txt -->
```text
one
two
```

```console
$ this is only shown
```

<!-- run: sample -->
```console
$ cat notes/a.txt
one
two
$ echo first; \\
  echo between; echo last 42 times
first
...
last ... times
$ true
```

<!-- run: sample -->
```python
from pathlib import Path
assert Path("notes/a.txt").read_text() == "one\\ntwo\\n"
```

<!-- run: service until="ready" -->
```console
$ sh -c 'trap "echo stopped > stopped; exit" INT; echo ready; while :; do sleep 0.05; done'
```

<!-- run: service -->
```bash
test ! -e stopped
```
"""


def test_the_runner_runs_what_is_marked(tmp_path: Path, environment: Mapping[str, str]) -> None:
    blocks = blocks_of(SAMPLE)
    assert [block.name for block in blocks] == ["sample", "sample", "sample", "service", "service"]
    run_blocks(blocks, tmp_path, environment)
    assert (tmp_path / "stopped").read_text() == "stopped\n"


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("console", "$ echo one\ntwo"),
        ("console", "$ echo one\none\n...\ntwo"),
        ("console", "$ false"),
        ("bash", "false\ntrue"),
        ("python", "assert False"),
        ("ruby", "1"),
    ],
)
def test_the_runner_notices(tmp_path: Path, environment: Mapping[str, str], language: str, text: str) -> None:
    page = f"<!-- run: x -->\n```{language}\n{text}\n```\n"
    with pytest.raises(AssertionError):
        run_blocks(blocks_of(page), tmp_path, environment)


def test_the_runner_notices_a_service_that_ends(tmp_path: Path, environment: Mapping[str, str]) -> None:
    page = '<!-- run: x until="ready" -->\n```console\n$ echo no\n```\n'
    with pytest.raises(AssertionError, match="did not print 'ready'"):
        run_blocks(blocks_of(page), tmp_path, environment)
