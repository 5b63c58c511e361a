"""Writes docs/images/check-*.png: one file of each format as `jargonaut documents check --html` shows it.

Needs Chromium. The files are those of the golden set.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
GOLDEN = ROOT / "tests" / "golden"
FILES = {
    "docx": "docx/trial-python.docx",
    "pptx": "pptx/infusion-python.pptx",
    "xlsx": "xlsx/tariff-openpyxl.xlsx",
    "odt": "odt/infusion-odfpy.odt",
    "pdf": "pdf/cryo-columns.pdf",
    "pdf-zh": "pdf/statute-libreoffice.pdf",
    "hidden": "pdf/hidden-reportlab.pdf",
    "eml": "eml/attachments.eml",
    "ipynb": "",
    "epub": "",
    "html": "",
    "csv": "",
    "jsonl": "",
    "md": "",
    "archive": "",
}
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--no-first-run", "--window-size=900,640",
]  # fmt: skip


def main() -> int:
    """Draw all, or those that are named."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        print("There is no Chromium here.")
        return 1
    for name, file in FILES.items():
        if sys.argv[1:] and name not in sys.argv[1:]:
            continue
        path = GOLDEN / file if file else next(p for p in sorted((GOLDEN / name).iterdir()) if "truth" not in p.name)
        with tempfile.TemporaryDirectory() as folder:
            page = Path(folder) / "page.html"
            command = [sys.executable, "-m", "jargonaut", "documents", "check", str(path), "--html", str(page)]
            subprocess.run(command, check=False, stdout=subprocess.DEVNULL)
            picture = ROOT / "docs" / "images" / f"check-{name}.png"
            profile = f"--user-data-dir={folder}/profile"
            draw = [browser, *FLAGS, profile, f"--screenshot={picture}", page.as_uri()]
            subprocess.run(draw, check=True, capture_output=True)
            Image.open(picture).convert("RGB").quantize(64).save(picture, optimize=True)
        print(f"{picture.relative_to(ROOT)}  {path.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
