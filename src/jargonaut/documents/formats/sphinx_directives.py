"""Directives that docutils does not know: Sphinx's own and any other, so that nothing they hold is lost.

Directives that describe an object (a class, a setting, a command) become `description` nodes, which the walker turns
into headings; code keeps its lines; whatever is unknown gives its argument and its content.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import Directive, directives

PYTHON_OBJECTS = frozenset(
    str.split(
        """
        attribute class classmethod data decorator decoratormethod exception function method property staticmethod type
        """
    )
)
_OBJECTS = PYTHON_OBJECTS | frozenset(
    str.split(
        """
        cmdoption confval currentmodule program describe envvar object option var module setting django-admin
        django-admin-option fieldlookup templatefilter templatetag signal macro struct enum enumerator member
        http:get http:post http:put http:patch http:delete rst:directive rst:role
        """
    )
)
_CODE = frozenset(
    str.split(
        """
        code code-block sourcecode console doctest graphviz digraph graph ipython mermaid parsed-code plantuml
        productionlist prompt testcode testoutput testsetup uml math
        """
    )
)
_SILENT = frozenset(
    str.split(
        """
        autosummary default-domain highlight include index literalinclude raw sectionauthor codeauthor
        tabularcolumns contents
        """
    )
)
_VERSIONED = {
    "versionadded": "New in version",
    "versionchanged": "Changed in version",
    "deprecated": "Deprecated since version",
    "versionremoved": "Removed in version",
}
_TITLED = {"seealso": "See also", "todo": "To do", "centered": "", "hlist": "", "only": "", "ifconfig": ""}
_DIRECTIVE = re.compile(r"^[ \t]*\.\.[ \t]+(?:\|[^|\n]+\|[ \t]+)?([\w:.+-]{1,60}?)[ \t]?::", re.MULTILINE)
_DOMAIN = re.compile(r"(?:py|c|cpp|js|std):")
_ENTRY_TITLE = re.compile(r"(?P<title>.+?)\s*<[^<>]+>\Z")
_LOOKS_LIKE_OBJECT = re.compile(r".*[A-Z(._]")


class description(nodes.General, nodes.Element):
    """An object that is described: `signature`, `names` and `kind`, with its description as children."""


class glossary(nodes.General, nodes.Element):
    """A list of terms, each of which can be referred to."""


def register_directives(text: str) -> None:
    """Make every directive that `text` uses known to docutils."""
    for name in {match.lower() for match in _DIRECTIVE.findall(text)}:
        plain = _DOMAIN.sub("", name)
        chosen = _chosen(plain)
        known = directives._directive_registry  # type: ignore[attr-defined]
        if chosen is not None:
            directives.register_directive(name, chosen)
        elif name not in known:
            directives.register_directive(name, Unknown)


def _chosen(name: str) -> type[Directive] | None:
    table: tuple[tuple[Callable[[str], bool], type[Directive]], ...] = (
        (lambda item: item == "class", PythonClass),
        (lambda item: item in _OBJECTS, Described),
        (lambda item: item in _CODE, Code),
        (lambda item: item in _SILENT, Silent),
        (lambda item: item in _VERSIONED, Versioned),
        (lambda item: item in _TITLED, Titled),
        (lambda item: item == "toctree", Toctree),
        (lambda item: item == "glossary", Glossary),
    )
    return next((directive for applies, directive in table if applies(name)), None)


class _AnyOptions(dict[str, Callable[[str | None], str]]):
    """Takes every option as it is."""

    def __bool__(self) -> bool:
        return True

    def __getitem__(self, name: str) -> Callable[[str | None], str]:
        return lambda argument: argument or ""


class _Lenient(Directive):
    optional_arguments = 1
    final_argument_whitespace = True
    has_content = True
    option_spec: ClassVar[Any] = _AnyOptions()

    @property
    def argument(self) -> str:
        return str(self.arguments[0]) if self.arguments else ""

    def parsed_content(self, parent: nodes.Element) -> nodes.Element:
        parent.line = self.lineno
        if self.content:
            self.state.nested_parse(self.content, self.content_offset, parent)
        return parent

    def paragraph(self, text: str) -> list[nodes.Node]:
        if not text:
            return []
        children, messages = self.state.inline_text(text, self.lineno)
        paragraph = nodes.paragraph(text, "", *children)
        paragraph.line = self.lineno
        return [paragraph, *messages]

    def led_by(self, lead: str) -> list[nodes.Node]:
        """The content, with `lead` at the beginning of its first paragraph."""
        content = self.parsed_content(nodes.container())
        if not lead:
            return [content]
        lead = lead if lead.endswith((":", ".", "!", "?")) else f"{lead}:"
        if content.children and isinstance(content[0], nodes.paragraph):
            content[0].insert(0, nodes.Text(f"{lead} "))
            return [content]
        return [*self.paragraph(lead), content]

    def anchors(self) -> list[nodes.Node]:
        name = self.options.get("name", "")
        return [nodes.target("", "", names=[nodes.fully_normalize_name(name)])] if name else []


class Unknown(_Lenient):
    """Gives its argument as a paragraph, then its content."""

    def run(self) -> list[nodes.Node]:
        """See `Directive.run`."""
        content = self.parsed_content(nodes.container())
        return [*self.anchors(), *self.paragraph(self.argument), content]


class Silent(_Lenient):
    """Gives nothing: it shows nothing, or what it shows is in another file."""

    def run(self) -> list[nodes.Node]:
        """See `Directive.run`."""
        return []


class Code(_Lenient):
    """Keeps its content as it is."""

    def run(self) -> list[nodes.Node]:
        """See `Directive.run`."""
        text = "\n".join(self.content)
        if self.name.endswith(("math", "graph")) and self.argument:
            text = f"{self.argument}\n{text}"
        block = nodes.literal_block(text, text)
        block.line = self.content_offset + 1
        return [*self.anchors(), *self.paragraph(self.options.get("caption", "")), block]


class Titled(_Lenient):
    """Content under a word or two, such as "See also"."""

    def run(self) -> list[nodes.Node]:
        """See `Directive.run`."""
        title = _TITLED[self.name.lower()]
        if self.name == "centered":
            return self.paragraph(self.argument)
        if title and self.argument:
            return [*self.paragraph(f"{title}: {self.argument}"), *self.led_by("")]
        return self.led_by(title)


class Versioned(_Lenient):
    """Content under "New in version 1.2"."""

    def run(self) -> list[nodes.Node]:
        """See `Directive.run`."""
        version, _, rest = self.argument.partition(" ")
        lead = f"{_VERSIONED[self.name.lower()]} {version}"
        return [*self.paragraph(f"{lead}: {rest}"), *self.led_by("")] if rest else self.led_by(lead)


class Toctree(_Lenient):
    """Gives the titles that are written out; the rest are paths."""

    def run(self) -> list[nodes.Node]:
        """See `Directive.run`."""
        titles = [match["title"] for line in self.content if (match := _ENTRY_TITLE.match(line.strip()))]
        items = [nodes.list_item("", nodes.paragraph(title, title)) for title in titles]
        return [nodes.bullet_list("", *items)] if items else []


class Glossary(_Lenient):
    """Terms that can be referred to."""

    def run(self) -> list[nodes.Node]:
        """See `Directive.run`."""
        return [self.parsed_content(glossary())]


class Described(_Lenient):
    """An object and its description."""

    def run(self) -> list[nodes.Node]:
        """See `Directive.run`."""
        joined = re.sub(r"\\\n\s*", "", self.argument)
        signatures = [" ".join(line.replace("\\", "").split()) for line in joined.split("\n") if line.strip()]
        kind = _DOMAIN.sub("", self.name.lower())
        node = description(
            "", signature=", ".join(signatures), names=[_object_name(line) for line in signatures], kind=kind
        )
        return [self.parsed_content(node)]


class PythonClass(Described):
    """Sphinx's `class`, unless it is docutils', which styles what it holds."""

    def run(self) -> list[nodes.Node]:
        """See `Directive.run`."""
        if _LOOKS_LIKE_OBJECT.match(self.argument):
            return super().run()
        return [self.parsed_content(nodes.container())]


def _object_name(signature: str) -> str:
    if signature.startswith("-"):
        return re.split(r"[\s,=\[]", signature, maxsplit=1)[0]
    before = signature.split("(", 1)[0].strip()
    words = before.split()
    return (words[-1] if "(" in signature else words[0]) if words else signature
