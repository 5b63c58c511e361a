"""Roles that docutils does not know: Sphinx's own and any other, shown as Sphinx shows them."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping, Sequence
from typing import Any

from docutils import nodes
from docutils.parsers.rst import roles

_ROLE = re.compile(r":([a-zA-Z][\w:.+-]{0,60}?):`|`:([a-zA-Z][\w:.+-]{0,60}?):")
_WITH_TARGET = re.compile(r"(?P<title>.+?)\s*<(?P<target>[^<>]+)>\Z", re.DOTALL)
_CALLABLE = frozenset({"func", "meth", "function", "method"})
_PYTHON = frozenset(str.split("func meth class attr mod exc data obj const function method type"))
_OUTSIDE = {
    "ticket": "#{}",
    "issue": "#{}",
    "commit": "{}",
    "cve": "CVE-{}",
    "rfc": "RFC {}",
    "rfc-reference": "RFC {}",
    "pep": "PEP {}",
    "pep-reference": "PEP {}",
    "bpo": "bpo-{}",
    "pypi": "{}",
    "source": "{}",
    "gh": "#{}",
}
"""Roles that point out of the documents, with what they show."""
_PLAIN = frozenset(
    str.split(
        """
        abbr command dfn file guilabel kbd mailheader makevar manpage menuselection mimetype newsgroup program
        regexp samp sup sub superscript subscript emphasis strong literal code math title title-reference t raw eq
        index download strike del ins
        """
    )
)
"""Roles that point nowhere."""

_SCRIPTS = {
    **dict.fromkeys(("sup", "superscript"), nodes.superscript),
    **dict.fromkeys(("sub", "subscript"), nodes.subscript),
}

CROSS_REFERENCE = "jargonaut-target"
"""Attribute of an inline node with what it refers to."""


def register_roles(text: str) -> None:
    """Make every role that `text` uses known to docutils."""
    for name in {(one or other).lower() for one, other in _ROLE.findall(text)}:
        # The stubs say that a role gives references; docutils takes any nodes.
        roles.register_local_role(name, _any_role)  # type: ignore[arg-type]


def _any_role(
    name: str,
    rawtext: str,
    text: str,
    lineno: int,
    inliner: Any,
    options: Mapping[str, Any] | None = None,
    content: Sequence[str] = (),
) -> tuple[list[nodes.Node], list[nodes.Node]]:
    """A docutils role function."""
    kind = name.lower().rsplit(":", 1)[-1]
    shown, target = _shown_and_target(kind, nodes.unescape(text))
    node = _SCRIPTS.get(kind, nodes.inline)(rawtext, shown)
    if target:
        node[CROSS_REFERENCE] = target
        node["role"] = kind
    return [node], []


def _shown_and_target(kind: str, text: str) -> tuple[str, str]:
    text = " ".join(text.split())
    explicit = _WITH_TARGET.match(text)
    title, target = (explicit["title"], explicit["target"]) if explicit else ("", text)
    if kind in _PLAIN:
        return text, ""
    if kind in _OUTSIDE:
        return title or _OUTSIDE[kind].format(target), ""
    if target.startswith("!"):
        return title or target[1:].removeprefix("~"), ""
    shown = title or _shown(kind, target)
    target = target.lstrip("~.").removesuffix("()")
    if kind in ("ref", "numref", "term"):
        target = nodes.fully_normalize_name(target)
    return shown, target


def _shown(kind: str, target: str) -> str:
    if kind in _PYTHON:
        name = target[1:].rsplit(".", 1)[-1] if target.startswith("~") else target.lstrip(".")
        return f"{name}()" if kind in _CALLABLE and not name.endswith(")") else name
    if kind in ("ref", "numref"):
        return target if " " in target else re.sub(r"[-_]+", " ", target.rsplit(":", 1)[-1])
    if kind == "doc":
        return posixpath.normpath(target).lstrip("/.") or target
    return target.removeprefix("~")
