"""Charts and SmartArt, in text documents and presentations: the data of the one as a table, of the other as a list."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from jargonaut.core.document import Place
from jargonaut.documents.composing import Composer, Inline
from jargonaut.documents.formats.number_format import general, number_formatter
from jargonaut.documents.formats.ooxml import DGM, A, C, OfficePackage, R, whole
from jargonaut.documents.formats.package import Element
from jargonaut.documents.formats.tables import Table, add_table

_MOST_POINTS = 5_000
"""Of a series."""
_MOST_SERIES = 100
_MOST_DEPTH = 5


def add_charts_and_diagrams(
    composer: Composer, package: OfficePackage, part: str, within: Element, place: Place
) -> None:
    """What `within`, an element of `part`, refers to as chart or SmartArt."""
    relations = package.relations(part)
    for element in within.iter(f"{C}chart", f"{DGM}relIds"):
        identifier = element.get(f"{R}id") if element.tag == f"{C}chart" else element.get(f"{R}dm")
        relation = relations.get(identifier or "")
        if relation is None or relation.external or relation.target not in package:
            continue
        root = package.xml(relation.target)
        if element.tag == f"{C}chart":
            _add_chart(composer, root, place)
        else:
            _add_diagram(composer, root, place)


def _add_chart(composer: Composer, root: Element, place: Place) -> None:
    title = root.find(f"{C}chart/{C}title")
    if title is not None:
        text = " ".join("".join(run.text or "" for run in line.iter(f"{A}t")) for line in title.iter(f"{A}p"))
        composer.caption(_inline(text or _cached(title)), place)
    series = list(root.iter(f"{C}ser"))[:_MOST_SERIES]
    columns: list[tuple[str, dict[int, str]]] = []
    categories: dict[int, str] = {}
    for number, each in enumerate(series, start=1):
        name = each.find(f"{C}tx")
        own = _points(each.find(f"{C}cat")) or _points(each.find(f"{C}xVal"))
        categories = {**own, **categories}
        values = _points(each.find(f"{C}val")) or _points(each.find(f"{C}yVal"))
        columns.append(((_cached(name) if name is not None else "") or f"{number}", values))
    rows = sorted({*categories, *(index for _, values in columns for index in values)})
    if not rows:
        return
    table = Table([["", *(name for name, _ in columns)]])
    table.rows += [[categories.get(row, str(row + 1)), *(values.get(row, "") for _, values in columns)] for row in rows]
    add_table(composer, table, place, header_rows=1)


def _points(source: Element | None) -> dict[int, str]:
    """Cached values by their index; categories of several levels are joined."""
    if source is None:
        return {}
    code = source.find(f".//{C}formatCode")
    shown = number_formatter(code.text) if code is not None and code.text and code.text != "General" else general
    levels = source.findall(f".//{C}lvl")[::-1] or [source]
    found: dict[int, str] = {}
    for level in levels:
        last = ""
        texts = {whole(point.get("idx")): _value(point) for point in level.iter(f"{C}pt")}
        for index in sorted({*texts, *found})[:_MOST_POINTS]:
            last = texts.get(index, last)
            text = last if len(levels) > 1 else texts.get(index, "")
            found[index] = f"{found[index]} {text}".strip() if index in found else text
    if source.find(f".//{C}numCache") is not None or source.find(f".//{C}numLit") is not None:
        return {index: _number(text, shown) for index, text in found.items()}
    return found


def _number(text: str, shown: Callable[[float], str]) -> str:
    try:
        return shown(float(text))
    except (ValueError, ArithmeticError):
        return text


def _value(point: Element) -> str:
    value = point.find(f"{C}v")
    return (value.text or "") if value is not None else ""


def _cached(element: Element) -> str:
    return " ".join(value.text or "" for value in element.iter(f"{C}v")).strip()


def _add_diagram(composer: Composer, root: Element, place: Place) -> None:
    texts: dict[str, str] = {}
    tops: list[str] = []
    for point in root.iterfind(f"{DGM}ptLst/{DGM}pt"):
        kind, name = point.get("type") or "node", point.get("modelId") or ""
        if kind in ("node", "asst"):
            lines = ("".join(run.text or "" for run in line.iter(f"{A}t")) for line in point.iter(f"{A}p"))
            texts[name] = " ".join(filter(None, lines))
        elif kind == "doc":
            tops.append(name)
    children: dict[str, list[tuple[int, str]]] = {}
    for link in root.iterfind(f"{DGM}cxnLst/{DGM}cxn"):
        if (link.get("type") or "parOf") == "parOf":
            entry = (whole(link.get("srcOrd")), link.get("destId") or "")
            children.setdefault(link.get("srcId") or "", []).append(entry)
    composer.end_list()
    for depth, name in _descent(tops, children, texts):
        composer.item(_inline(texts[name]), "-", depth, place)
    composer.end_list()


def _descent(
    tops: list[str], children: dict[str, list[tuple[int, str]]], texts: dict[str, str]
) -> Iterator[tuple[int, str]]:
    """Points with text, each below the one that it belongs to; each once."""
    seen: set[str] = set()
    waiting = [(-1, name) for name in reversed(tops)]
    while waiting:
        depth, name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        if texts.get(name):
            yield max(depth, 0), name
        below = min(depth + 1, _MOST_DEPTH)
        waiting.extend((below, child) for _, child in sorted(children.get(name, []), reverse=True))


def _inline(text: str) -> Inline:
    inline = Inline()
    inline.add(text)
    return inline
