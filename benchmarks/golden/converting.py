"""The producers that are programs: LibreOffice, Chromium, pandoc, poppler."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pypandoc

from benchmarks.golden.settling import settle_archive, settle_pdf

_EPOCH = "1748779200"
"""1 June 2025: what producers that heed SOURCE_DATE_EPOCH take for now."""


def libreoffice(source: Path, target: Path, filter_name: str = "") -> None:
    """Convert `source` into the format of `target`."""
    with tempfile.TemporaryDirectory() as folder:
        wanted = target.suffix[1:] + (f":{filter_name}" if filter_name else "")
        command = [
            "soffice", f"-env:UserInstallation=file://{_profile()}", "--headless", "--convert-to", wanted,
            "--outdir", folder, str(source),
        ]  # fmt: skip
        _run(command)
        (made,) = Path(folder).iterdir()
        shutil.move(made, target)
    _settle(target)


def chromium(source: Path, target: Path) -> None:
    """Print an HTML file as the browser does, without its own head and foot."""
    with tempfile.TemporaryDirectory() as profile:
        command = [
            "chromium", "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}",
            "--no-pdf-header-footer", f"--print-to-pdf={target}", source.resolve().as_uri(),
        ]  # fmt: skip
        _run(command)
    _settle(target)


def pandoc(source: str, target: Path, read_as: str = "json", *options: str) -> None:
    """Write what is in `source` as the format of `target`."""
    os.environ["SOURCE_DATE_EPOCH"] = _EPOCH
    pypandoc.convert_text(source, target.suffix[1:], read_as, outputfile=str(target), extra_args=list(options))
    _settle(target)


def page_images(source: Path, folder: Path, dpi: int) -> list[Path]:
    """Each page of a PDF as a picture."""
    _run(["pdftoppm", "-r", str(dpi), "-gray", "-png", str(source), str(folder / "page")])
    return sorted(folder.glob("page*.png"))


def _profile() -> Path:
    return Path(tempfile.gettempdir()) / "golden-libreoffice"


def _run(command: list[str]) -> None:
    environment = {**os.environ, "SOURCE_DATE_EPOCH": _EPOCH, "TZ": "UTC"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=300)
    if done.returncode:
        raise SystemExit(f"{command[0]} failed: {done.stderr[-500:]}")


def _settle(path: Path) -> None:
    if path.suffix == ".pdf":
        settle_pdf(path)
    elif path.suffix in (".docx", ".odt", ".pptx", ".xlsx", ".epub"):
        settle_archive(path)
