"""Equations of office files (OMML) as a line of text."""

from __future__ import annotations

from collections.abc import Callable

from jargonaut.documents.formats.package import Element

M = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
_MOST_DEPTH = 40
_PROPERTIES = "Pr"


def equation_text(element: Element, depth: int = 0) -> str:
    """`a/b`, `x^2`, `√(x + 1)`: what stands in an `m:` element, in one line."""
    kind = str(element.tag).removeprefix(M)
    if kind == "t":
        return element.text or ""
    if depth > _MOST_DEPTH:
        return "".join(text.text or "" for text in element.iter(f"{M}t"))
    part = {str(child.tag).removeprefix(M): equation_text(child, depth + 1) for child in element if _is_math(child)}
    if kind in _FORMS:
        return _FORMS[kind](part)
    if kind == "nary":
        return _nary(element, part)
    if kind == "d":
        return _delimited(element, depth)
    children = [child for child in element if _is_math(child) and not str(child.tag).endswith(_PROPERTIES)]
    separator = {"m": "; ", "mr": ", ", "eqArr": "; "}.get(kind, "")
    return separator.join(equation_text(child, depth + 1) for child in children)


def _is_math(element: Element) -> bool:
    return isinstance(element.tag, str)


def _grouped(text: str) -> str:
    return text if len(text) < 2 or text.isalnum() else f"({text})"


def _fraction(part: dict[str, str]) -> str:
    return f"{_grouped(part.get('num', ''))}/{_grouped(part.get('den', ''))}"


def _root(part: dict[str, str]) -> str:
    degree = part.get("deg", "")
    sign = {"": "√", "2": "√", "3": "∛", "4": "∜"}.get(degree, f"{degree}√")
    return f"{sign}{_grouped(part.get('e', ''))}"


def _scripts(part: dict[str, str]) -> str:
    below, above = part.get("sub", ""), part.get("sup", "")
    return part.get("e", "") + (f"_{_grouped(below)}" if below else "") + (f"^{_grouped(above)}" if above else "")


_FORMS: dict[str, Callable[[dict[str, str]], str]] = {
    "f": _fraction,
    "rad": _root,
    "sSup": _scripts,
    "sSub": _scripts,
    "sSubSup": _scripts,
    "func": lambda part: f"{part.get('fName', '')} {part.get('e', '')}",
    "limLow": lambda part: f"{part.get('e', '')}_{_grouped(part.get('lim', ''))}",
    "limUpp": lambda part: f"{part.get('e', '')}^{_grouped(part.get('lim', ''))}",
}


def _nary(element: Element, part: dict[str, str]) -> str:
    sign = element.find(f"{M}naryPr/{M}chr")
    shown = "∫" if sign is None else sign.get(f"{M}val") or "∑"
    return f"{_scripts({**part, 'e': shown})} {part.get('e', '')}"


def _delimited(element: Element, depth: int) -> str:
    def mark(name: str, usual: str) -> str:
        found = element.find(f"{M}dPr/{M}{name}")
        return usual if found is None else found.get(f"{M}val") or ""

    inside = mark("sepChr", "|").join(equation_text(child, depth + 1) for child in element.iterfind(f"{M}e"))
    return f"{mark('begChr', '(')}{inside}{mark('endChr', ')')}"
