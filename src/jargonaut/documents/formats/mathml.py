"""MathML as a line of text."""

from __future__ import annotations

from jargonaut.documents.formats.package import Element

_SKIPPED = frozenset({"annotation", "annotation-xml"})
_SCRIPTS = {"msup": "^", "msub": "_", "mover": "^", "munder": "_"}
_MOST_DEPTH = 40


def mathml_text(element: Element, depth: int = 0) -> str:
    """`a/b`, `x^2`, `√(x + 1)`: what a `math` element shows, in one line."""
    kind = str(element.tag).rpartition("}")[2]
    if kind in _SKIPPED or depth > _MOST_DEPTH:
        return ""
    parts = [mathml_text(child, depth + 1) for child in element if isinstance(child.tag, str)]
    if kind == "mfrac" and len(parts) == 2:
        return f"{_grouped(parts[0])}/{_grouped(parts[1])}"
    if kind in _SCRIPTS and len(parts) == 2:
        return f"{parts[0]}{_SCRIPTS[kind]}{_grouped(parts[1])}"
    if kind in ("msubsup", "munderover") and len(parts) == 3:
        return f"{parts[0]}_{_grouped(parts[1])}^{_grouped(parts[2])}"
    if kind == "msqrt":
        return f"√{_grouped(''.join(parts))}"
    if kind == "mroot" and len(parts) == 2:
        return f"{parts[1]}√{_grouped(parts[0])}"
    return (element.text or "").strip() + "".join(parts)


def _grouped(text: str) -> str:
    return text if len(text) < 2 or text.isalnum() else f"({text})"
