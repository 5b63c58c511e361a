"""How files were read, as one self-contained HTML page: every block with the place it has in its source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from importlib import resources
from itertools import groupby

from jargonaut.core.document import Block, Document, Opened, Quarantined
from jargonaut.core.table_rows import cells_of
from jargonaut.documents.wire import Result


def render_check(results: Sequence[Result]) -> str:
    """The page: one section a file, without scripts and without anything to fetch."""
    css = resources.files(__package__).joinpath("check_page.css").read_text(encoding="utf-8")
    body = "\n".join(_section(result) for result in results if not isinstance(result, Opened))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>How it is read</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{css}</style></head><body><main>{body}</main></body></html>\n"
    )


def _section(result: Document | Quarantined) -> str:
    if isinstance(result, Quarantined):
        return (
            f'<section><p class="uri">{escape(result.uri)}</p><h1 class="refused">Cannot be read</h1>'
            f"<p>{escape(result.reason)} {escape(result.hint)}</p></section>"
        )
    return (
        f'<section><p class="uri">{escape(result.uri)}</p><h1>{escape(result.title)}</h1>'
        f"{_about(result)}{_hidden(result.hidden)}{_blocks(result)}</section>"
    )


def _about(document: Document) -> str:
    shown = {"language": document.language, "format": document.media_type, **document.metadata}
    rows = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(value if isinstance(value, str) else ', '.join(value))}</dd></div>"
        for name, value in shown.items()
        if value
    )
    return f"<dl>{rows}</dl>"


def _hidden(hidden: Mapping[str, int]) -> str:
    if not hidden:
        return ""
    counted = ", ".join(f"{count:,} {escape(why)}" for why, count in hidden.items())
    return f'<p class="hidden">Characters left out, for no reader would see them: {counted}.</p>'


def _blocks(document: Document) -> str:
    parts = []
    for place, blocks in groupby(document.blocks, key=lambda block: str(block.place)):
        inner = "".join(_block(document.text, block) for block in blocks)
        parts.append(f'<div class="at"><span class="place">{escape(place)}</span><div>{inner}</div></div>')
    return "".join(parts)


def _block(text: str, block: Block) -> str:
    shown = text[block.start : block.end]
    if block.kind == "heading":
        return f"<h{min(block.level + 1, 6)}>{escape(shown)}</h{min(block.level + 1, 6)}>"
    if block.kind == "table":
        return _table(shown, block)
    if block.kind in ("code", "list"):
        return f'<pre class="{block.kind}">{escape(shown)}</pre>'
    label = f'<b class="kind">{block.kind}</b> ' if block.kind in ("caption", "note") else ""
    return f'<p class="{block.kind}">{label}{escape(shown)}</p>'


def _table(text: str, block: Block) -> str:
    lines = [cells_of(line) for line in text.split("\n")]
    width = max(map(len, lines))
    rows = []
    for number, cells in enumerate(lines):
        tag = "th" if number < block.header_lines else "td"
        if len(cells) == 1 and width > 1:
            rows.append(f'<tr><{tag} colspan="{width}">{escape(cells[0])}</{tag}></tr>')
        else:
            rows.append(f"<tr>{''.join(f'<{tag}>{escape(cell)}</{tag}>' for cell in cells)}</tr>")
    return f'<div class="wide"><table>{"".join(rows)}</table></div>'
