"""Made-up tables of numbers: each cell as a value with its number format, and as a reader sees it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any


@dataclass(frozen=True)
class Cell:
    """A value, how it is formatted, and what is then seen."""

    value: Any
    format: str = "General"
    seen: str = ""

    def __str__(self) -> str:
        return self.seen or str(self.value)


@dataclass(frozen=True)
class Ledger:
    """A sheet: its name and its cells."""

    name: str
    language: str
    rows: tuple[tuple[Cell | None, ...], ...]

    def seen(self) -> tuple[tuple[str | None, ...], ...]:
        """The cells as a reader sees them."""
        return tuple(tuple(None if cell is None else str(cell) for cell in row) for row in self.rows)


def text(*values: str) -> tuple[Cell, ...]:
    """A row of words."""
    return tuple(Cell(value) for value in values)


TARIFF = Ledger(
    "Spare parts 2025",
    "en",
    (
        text("Item", "Order code", "List price", "Discount", "Valid from", "Stock"),
        (
            Cell("Lantern ring"),
            Cell("KX-0417", "@"),
            Cell(1284.5, '"$"#,##0.00', "$1,284.50"),
            Cell(0.125, "0.0%", "12.5%"),
            Cell(date(2025, 3, 1), "yyyy-mm-dd", "2025-03-01"),
            Cell(12500, "#,##0", "12,500"),
        ),
        (
            Cell("Gland follower"),
            Cell("000932", "@"),
            Cell(98, '"$"#,##0.00', "$98.00"),
            Cell(0.05, "0.0%", "5.0%"),
            Cell(date(2025, 11, 17), "yyyy-mm-dd", "2025-11-17"),
            Cell(7, "#,##0", "7"),
        ),
        (
            Cell("Relief valve, complete"),
            Cell("KX-2200", "@"),
            Cell(20417.25, '"$"#,##0.00', "$20,417.25"),
            Cell(0.2, "0.0%", "20.0%"),
            Cell(date(2024, 12, 31), "yyyy-mm-dd", "2024-12-31"),
            Cell(0, "#,##0", "0"),
        ),
    ),
)

READINGS = Ledger(
    "Readings",
    "en",
    (
        text("Taken at", "Probe", "Shield (K)", "Leak rate", "Vented"),
        (
            Cell(datetime(2025, 4, 7, 6, 30), "yyyy-mm-dd hh:mm", "2025-04-07 06:30"),
            Cell("CX-1"),
            Cell(63.25, "0.00", "63.25"),
            Cell(2.1e-9, "0.0E+00", "2.1E-09"),
            Cell(False, "General", "FALSE"),
        ),
        (
            Cell(datetime(2025, 4, 7, 18, 5), "yyyy-mm-dd hh:mm", "2025-04-07 18:05"),
            Cell("CX-2"),
            Cell(61.5, "0.00", "61.50"),
            Cell(9.4e-10, "0.0E+00", "9.4E-10"),
            Cell(True, "General", "TRUE"),
        ),
    ),
)

BUDGET = Ledger(
    "Rebuild budget",
    "en",
    (
        (Cell("Cost centre"), Cell("First half"), None, Cell("Second half"), None),
        (None, Cell("Planned"), Cell("Spent"), Cell("Planned anew"), Cell("Spent so far")),
        (
            Cell("Cryogenics"),
            Cell(120000, "#,##0", "120,000"),
            Cell(98450.4, "#,##0.0", "98,450.4"),
            Cell(80000, "#,##0", "80,000"),
            Cell(-1250, "#,##0;(#,##0)", "(1,250)"),
        ),
        (
            Cell("Magnets"),
            Cell(310000, "#,##0", "310,000"),
            Cell(322900, "#,##0", "322,900"),
            Cell(15000, "#,##0", "15,000"),
            Cell(14999.99, "#,##0.00", "14,999.99"),
        ),
    ),
)

QUOTE_ZH = Ledger(
    "报价单",
    "zh",
    (
        text("物料", "编码", "单价", "折扣", "生效日期", "数量"),
        (
            Cell("灭弧室"),
            Cell("007310", "@"),
            Cell(12850, '"¥"#,##0.00', "¥12,850.00"),
            Cell(0.085, "0.0%", "8.5%"),
            Cell(date(2025, 9, 30), 'yyyy"年"m"月"d"日"', "2025年9月30日"),
            Cell(36, '0"台"', "36台"),
        ),
        (
            Cell("储能弹簧"),
            Cell("007311", "@"),
            Cell(468.5, '"¥"#,##0.00', "¥468.50"),
            Cell(0.1, "0%", "10%"),
            Cell(date(2025, 1, 5), 'yyyy"年"m"月"d"日"', "2025年1月5日"),
            Cell(1200, '#,##0"件"', "1,200件"),
        ),
    ),
)

LEDGERS = {"tariff": TARIFF, "readings": READINGS, "budget": BUDGET, "quote": QUOTE_ZH}
