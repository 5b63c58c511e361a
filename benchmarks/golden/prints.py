"""PDF by LibreOffice and by a browser's print; and scans, which are pictures of such pages."""

from __future__ import annotations

import html
import random
import tempfile
from pathlib import Path

from PIL import Image, ImageFilter
from reportlab.lib.pagesizes import A4
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from benchmarks.golden.converting import chromium, libreoffice, page_images, pandoc
from benchmarks.golden.manuals import CRYO, DRONE, PUMP, RAN, SUPPLY, TRIAL
from benchmarks.golden.manuals_zh import INFUSION, PURCHASE, STATUTE, SWITCHGEAR
from benchmarks.golden.model import Shelf, Story, truth_of
from benchmarks.golden.pandoc import notation
from benchmarks.golden.web import html_of
from benchmarks.golden.word import by_python_docx, without_notes

_PRINT = """
@page { size: A4; margin: 2cm }
body { font-family: 'Liberation Serif', 'Noto Sans CJK SC', serif; font-size: 11pt; line-height: 1.4 }
table { border-collapse: collapse; margin: 1em 0; break-inside: auto }
td, th { padding: 4px 8px; text-align: left; vertical-align: top }
caption { text-align: left }
"""
_RULED = "td, th { border: 1px solid black }"
_COLUMNS = "main { columns: 2; column-gap: 1cm; text-align: justify } h1 { column-span: all }"


def write(shelf: Shelf) -> None:
    """All printed PDF files."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for story in (RAN, DRONE, SWITCHGEAR, STATUTE):
            pandoc(notation(story), source := folder / f"{story.name}.odt")
            libreoffice(source, path := shelf.path(f"{story.name}-libreoffice.pdf"))
            shelf.truth(path.name, truth_of(story, "pdf", "LibreOffice"))
        by_python_docx(TRIAL).save(str(source := folder / "trial.docx"))
        libreoffice(source, path := shelf.path("trial-libreoffice.pdf"))
        shelf.truth(path.name, without_notes(truth_of(TRIAL, "pdf", "LibreOffice")))
        for story, style, kind in (
            (SUPPLY, _RULED, "chromium"),
            (PUMP, "", "chromium"),
            (INFUSION, _RULED, "chromium"),
            (PURCHASE, "", "chromium"),
            (CRYO, _COLUMNS, "chromium-columns"),
        ):
            path = shelf.path(f"{story.name}-{kind}.pdf")
            printed(story, style, folder, path)
            shelf.truth(path.name, truth_of(story, "pdf", "Chromium"))


def printed(story: Story, style: str, folder: Path, path: Path) -> None:
    """The story as a browser prints it."""
    page = (
        f'<!doctype html><html lang="{story.language}"><head><meta charset="utf-8"><title>{html.escape(story.title)}'
        f"</title><style>{_PRINT}{style}</style></head><body><main>{html_of(story)}</main></body></html>"
    )
    (source := folder / "page.html").write_text(page, encoding="utf-8")
    chromium(source, path)


def write_scans(shelf: Shelf) -> None:
    """Pages as a scanner gives them: grey, a little askew, with specks."""
    chance = random.Random(9)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for story in (DRONE, PUMP, STATUTE, PURCHASE):
            printed(story, _RULED, folder, source := folder / f"{story.name}.pdf")
            pictures = page_images(source, folder, 200)
            path = shelf.path(f"{story.name}-scan.pdf")
            canvas = Canvas(str(path), pagesize=A4, invariant=1)
            for picture in pictures:
                _scanned(picture, folder / "scan.jpg", chance)
                canvas.drawImage(ImageReader(str(folder / "scan.jpg")), 0, 0, *A4)
                canvas.showPage()
                picture.unlink()
            canvas.save()
            shelf.truth(path.name, truth_of(story, "scan", "Chromium, rastered"))


def _scanned(picture: Path, target: Path, chance: random.Random) -> None:
    with Image.open(picture) as page:
        askew = page.convert("L").rotate(chance.uniform(-0.6, 0.6), Image.Resampling.BICUBIC, fillcolor=255)
        for _ in range(60):
            askew.putpixel((chance.randrange(askew.width), chance.randrange(askew.height)), chance.randrange(120))
        askew.filter(ImageFilter.GaussianBlur(0.4)).save(target, quality=45)
