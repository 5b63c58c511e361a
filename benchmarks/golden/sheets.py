"""XLSX by openpyxl, XlsxWriter and LibreOffice; CSV, TSV and JSONL."""

from __future__ import annotations

import csv
import io
import json
import tempfile
from pathlib import Path
from typing import Any

import openpyxl
import xlsxwriter
from openpyxl.comments import Comment
from openpyxl.worksheet.worksheet import Worksheet

from benchmarks.golden.converting import libreoffice
from benchmarks.golden.ledgers import BUDGET, LEDGERS, QUOTE_ZH, READINGS, TARIFF, Ledger
from benchmarks.golden.manuals import RAN, SUPPLY
from benchmarks.golden.manuals_zh import PURCHASE, SWITCHGEAR
from benchmarks.golden.model import Cells, Shelf, Table, Truth
from benchmarks.golden.settling import settle_archive

_LABELS = ["Sheet: Sheet", "Table: Table"]


def write_xlsx(shelf: Shelf) -> None:
    """All XLSX files."""
    for name, ledger in LEDGERS.items():
        _save(_book([ledger]), shelf, f"{name}-openpyxl.xlsx", _truth([ledger], "openpyxl"))
    _save(_book([TARIFF, BUDGET]), shelf, "two-openpyxl.xlsx", _truth([TARIFF, BUDGET], "openpyxl"))
    with tempfile.TemporaryDirectory() as folder:
        for name, ledgers in (("tariff", [TARIFF]), ("budget", [BUDGET]), ("quote", [QUOTE_ZH, READINGS])):
            _book(ledgers).save(source := Path(folder) / f"{name}.xlsx")
            libreoffice(source, between := Path(folder) / f"{name}.ods")
            libreoffice(between, path := shelf.path(f"{name}-libreoffice.xlsx"))
            shelf.truth(path.name, _truth(ledgers, "LibreOffice"))
    _formulas(shelf)
    _hiding(shelf)


def write_text(shelf: Shelf) -> None:
    """CSV and TSV."""
    for story, name, delimiter, encoding in (
        (RAN, "ran-comma.csv", ",", "utf-8"),
        (SUPPLY, "supply-semicolon.csv", ";", "utf-8-sig"),
        (SWITCHGEAR, "switchgear-gb.csv", ",", "gb18030"),
        (RAN, "ran-tab.tsv", "\t", "utf-8"),
        (PURCHASE, "purchase-tab.tsv", "\t", "utf-8"),
    ):
        rows = tuple(tuple(cell or "" for cell in row) for row in story.tables()[0].rows)
        _delimited(shelf, name, rows, delimiter, encoding, story.language)
    rows = (
        ("Code", "Symptom", "Remedy"),
        ("E-104", 'Display shows "HOLD"', "Release the latch,\nthen acknowledge"),
        ("E-105", "Weighing cell drifts", "Tare at 20 °C; repeat after 5, 10 and 20 min"),
    )
    _delimited(shelf, "quoted.csv", rows, ",", "utf-8", "en")
    with tempfile.TemporaryDirectory() as folder:
        _book([TARIFF]).save(source := Path(folder) / "tariff.xlsx")
        libreoffice(source, path := shelf.path("tariff-libreoffice.csv"))
        truth = Truth("csv", "en", "LibreOffice")
        # A text file says what it says: LibreOffice leaves most number formats out.
        truth.table(tuple(map(tuple, csv.reader(path.read_text(encoding="utf-8").splitlines()))))
        shelf.truth(path.name, truth)


def write_jsonl(shelf: Shelf) -> None:
    """Records of several shapes."""
    english = [
        {"id": "KB-31", "question": "Why does the gland weep?", "answer": "The lantern ring was embrittled."},
        {"id": "KB-32", "question": "Which spring is ochre?", "answer": "The one from 35 to 70 bar."},
        {"id": "KB-33", "question": "Who signs form 208?", "answer": "The shift electrician, before lock-out."},
    ]
    chinese = [
        {"编号": "问-07", "问题": "微水含量的上限是多少？", "回答": "灭弧气室不大于150微升每升。"},
        {"编号": "问-08", "问题": "吸附剂何时更换？", "回答": "气体回收之后立即更换。"},
    ]
    nested = [
        {
            "alarm": "A17",
            "where": {"unit": "Booster 3", "tag": "PT-1107"},
            "causes": ["strainer clogged", "foot valve leaks"],
            "severity": 2,
        },
        {"alarm": "A18", "where": {"unit": "Booster 4", "tag": "TT-1192"}, "causes": ["follower tight"], "severity": 3},
    ]
    for name, records, language in (
        ("questions.jsonl", english, "en"),
        ("questions-zh.jsonl", chinese, "zh"),
        ("alarms.jsonl", nested, "en"),
    ):
        lines = [json.dumps(record, ensure_ascii=name == "alarms.jsonl") for record in records]
        shelf.path(name).write_text("\n".join(lines) + "\n", encoding="utf-8")
        truth = Truth("jsonl", language, "json")
        for record in records:
            for key, value in record.items():
                # What a record is called may stand before or after what it says.
                (truth.notes if key in ("id", "编号") else truth.text).extend(_values(value))
                truth.optional += [key, *(value if isinstance(value, dict) else ())]
        truth.optional = sorted({*truth.optional, "record 1 2 3"})
        shelf.truth(name, truth)


def _values(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for item in value.values() for text in _values(item)]
    if isinstance(value, list):
        return [text for item in value for text in _values(item)]
    return [str(value)]


def _delimited(shelf: Shelf, name: str, rows: Cells, delimiter: str, encoding: str, language: str) -> None:
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=delimiter, lineterminator="\r\n").writerows(rows)
    shelf.path(name).write_bytes(buffer.getvalue().encode(encoding))
    truth = Truth(Path(name).suffix[1:], language, "csv")
    truth.table(rows)
    shelf.truth(name, truth)


def _truth(ledgers: list[Ledger], producer: str) -> Truth:
    truth = Truth("xlsx", ledgers[0].language, producer, optional=list(_LABELS))
    for ledger in ledgers:
        truth.notes.append(ledger.name)
        truth.table(ledger.seen())
    return truth


def _book(ledgers: list[Ledger]) -> openpyxl.Workbook:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for ledger in ledgers:
        _fill(book.create_sheet(ledger.name), ledger)
    return book


def _fill(sheet: Worksheet, ledger: Ledger) -> None:
    for r, row in enumerate(ledger.rows, start=1):
        for c, cell in enumerate(row, start=1):
            if cell is not None:
                place = sheet.cell(r, c, cell.value)
                place.number_format = cell.format
    for r, c, height, width in Table(ledger.seen()).spans():
        sheet.merge_cells(start_row=r + 1, start_column=c + 1, end_row=r + height, end_column=c + width)


def _save(book: openpyxl.Workbook, shelf: Shelf, name: str, truth: Truth) -> None:
    book.save(path := shelf.path(name))
    settle_archive(path)
    shelf.truth(name, truth)


def _formulas(shelf: Shelf) -> None:
    """Formulas with the values that they had when the file was saved."""
    book = xlsxwriter.Workbook(str(path := shelf.path("formulas-xlsxwriter.xlsx")))
    sheet = book.add_worksheet("Surcharge")
    money, share = book.add_format({"num_format": "€ #,##0.00"}), book.add_format({"num_format": "0.00%"})
    sheet.write_row(0, 0, ["Grade", "Tonnes", "Base price", "Alloy share", "Due"])
    for row, (grade, tonnes, price, part, due) in enumerate(
        (("100Cr6", 25, 1284.5, 0.0175, 32674.47), ("X108CrMo17", 5, 3047.75, 0.1125, 16953.11)), start=1
    ):
        sheet.write(row, 0, grade)
        sheet.write(row, 1, tonnes)
        sheet.write(row, 2, price, money)
        sheet.write(row, 3, part, share)
        sheet.write_formula(row, 4, f"=B{row + 1}*C{row + 1}*(1+D{row + 1})", money, due)
    book.close()
    settle_archive(path)
    truth = Truth("xlsx", "en", "XlsxWriter", notes=["Surcharge"], optional=list(_LABELS))
    truth.table(
        (
            ("Grade", "Tonnes", "Base price", "Alloy share", "Due"),
            ("100Cr6", "25", "€ 1,284.50", "1.75%", "€ 32,674.47"),
            ("X108CrMo17", "5", "€ 3,047.75", "11.25%", "€ 16,953.11"),
        )
    )
    shelf.truth(path.name, truth)


def _hiding(shelf: Shelf) -> None:
    """A hidden row, a hidden column, a hidden sheet, a very hidden one, and a comment."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Suppliers"
    for row in (
        ("Supplier", "Kickback note", "Rating"),
        ("Ostrava Rolling Works", "twelve per cent to R.", "A"),
        ("Phantom Metals", "shell company", "D"),
        ("Merrow Bearings", "none known", "B"),
    ):
        sheet.append(row)
    sheet.column_dimensions["B"].hidden = True
    sheet.row_dimensions[3].hidden = True
    sheet["A4"].comment = Comment("Under investigation since May.", "R. Eviewer")
    for name, state in (("Private", "hidden"), ("Deeper", "veryHidden")):
        other = book.create_sheet(name)
        other["A1"] = f"{name} remark on the tender"
        other.sheet_state = state
    truth = Truth("xlsx", "en", "openpyxl", notes=["Suppliers"], optional=list(_LABELS))
    truth.hidden += ["Kickback note", "twelve per cent to R.", "Phantom Metals", "Under investigation since May."]
    truth.hidden += ["Private remark on the tender", "Deeper remark on the tender"]
    truth.table((("Supplier", "Rating"), ("Ostrava Rolling Works", "A"), ("Merrow Bearings", "B")))
    _save(book, shelf, "hidden-openpyxl.xlsx", truth)
