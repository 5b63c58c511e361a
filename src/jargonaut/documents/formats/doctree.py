"""From docutils' tree to blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from docutils import nodes

from jargonaut.core.document import Place
from jargonaut.documents.composing import LOWERED, RAISED, Composer, Inline
from jargonaut.documents.formats.sphinx_directives import PYTHON_OBJECTS, description, glossary
from jargonaut.documents.formats.sphinx_roles import CROSS_REFERENCE
from jargonaut.documents.links import resolve_link

_SKIPPED = (nodes.comment, nodes.substitution_definition, nodes.raw, nodes.pending, nodes.label, nodes.meta)


class DoctreeWalker:
    """Turns the tree of one document into blocks."""

    def __init__(self, composer: Composer, uri: str, tree: nodes.document) -> None:
        self._composer = composer
        self._uri = uri
        self._suffix = PurePosixPath(uri).suffix
        self._substitutions = tree.substitution_defs
        self._outside = {
            name for target in tree.findall(nodes.target) if target.get("refuri") for name in target["names"]
        }
        self._referred = {node["refname"] for node in tree.findall(nodes.reference) if node.get("refname")}
        self._level = 0
        self._line = 1
        self._marks: list[str] = []
        self._mark_is_due = False
        self._owners: list[str] = []
        self._module = ""
        self._program = ""
        self._waiting: list[description] = []
        self._handlers: Mapping[type[nodes.Node], Callable[[Any], None]] = {
            nodes.section: self._section,
            nodes.title: self._bold_line,
            nodes.rubric: self._bold_line,
            nodes.paragraph: self._paragraph,
            nodes.line: self._paragraph,
            nodes.attribution: self._paragraph,
            nodes.caption: self._paragraph,
            nodes.bullet_list: self._list,
            nodes.enumerated_list: self._list,
            nodes.definition_list: self._items,
            nodes.field_list: self._items,
            nodes.option_list: self._items,
            nodes.definition_list_item: self._definition,
            nodes.field: self._field,
            nodes.option_list_item: self._option,
            nodes.literal_block: self._code,
            nodes.doctest_block: self._code,
            nodes.math_block: self._code,
            nodes.table: self._table,
            nodes.image: self._image,
            nodes.target: self._target,
            nodes.footnote: self._note,
            nodes.citation: self._note,
            nodes.system_message: self._system_message,
            description: self._description,
            glossary: self._glossary,
        }

    def walk_document(self, tree: nodes.document) -> None:
        """Add everything."""
        self.walk(tree)
        self._announce_waiting()

    def walk(self, node: nodes.Element) -> None:
        """Add what is in `node`."""
        for child in node.children:
            if isinstance(child, _SKIPPED):
                continue
            self._line = child.line or self._line
            if self._waiting and not isinstance(child, (nodes.target, nodes.section, description)):
                self._announce_waiting()
            handler = self._handlers.get(type(child))
            if handler is not None:
                handler(child)
            elif isinstance(child, nodes.Element):
                (self._admonition if isinstance(child, nodes.Admonition) else self.walk)(child)

    @property
    def _place(self) -> Place:
        return Place(line=self._line)

    def _section(self, node: nodes.section) -> None:
        title = self._inline(node[0]) if isinstance(node[0], nodes.title) else Inline()
        unsaid = self._name_section(title.text)
        for name in node["names"]:
            if name in self._referred:
                self._composer.anchor(nodes.make_id(name))
        self._level += 1
        # docutils counts from the line of the underline.
        place = Place(line=max((node[0].line or node.line or self._line) - 1, 1))
        self._composer.heading(title, self._level, place)
        self._composer.paragraph(unsaid, place)
        for child in node.children[1:]:
            self._one(child)
        self._level -= 1

    def _name_section(self, title: str) -> Inline:
        """Let the descriptions right before a section name it; what its title does not say is returned.

        A Python object that the title does not name is no name of the section, but one that nothing is said about.
        """
        unsaid = Inline()
        waiting, self._waiting = self._waiting, []
        for held in waiting:
            said = any(_same_name(name, title) for name in held["names"])
            if held["kind"] in PYTHON_OBJECTS and not said:
                self._describe_waiting([held])
                continue
            for name in (*held["anchors"], *self._qualified(held)):
                self._composer.anchor(name)
            if not said:
                unsaid.add(f"{', ' if unsaid.length else ''}{held['signature']}")
        return unsaid

    def _one(self, child: nodes.Node) -> None:
        holder = nodes.container()
        holder.children = [child]
        self.walk(holder)

    def _description(self, node: description) -> None:
        """A description without content names the heading that comes next, or opens a section of its own."""
        if node["kind"] in ("program", "django-admin"):
            self._program = next(iter(node["names"]), "")
        if node["kind"] in ("module", "currentmodule"):
            self._module = next(iter(node["names"]), "")
            if node["kind"] == "module":
                self._composer.anchor_last(node["names"])
            self.walk(node)
        elif node["kind"] == "program":
            self.walk(node)
        elif node.children:
            self._describe([*self._waiting, node])
        else:
            node["level"], node["anchors"] = self._level, self._composer.take_anchors()
            self._waiting.append(node)

    def _announce_waiting(self) -> None:
        if self._waiting:
            self._describe_waiting(self._waiting)

    def _describe_waiting(self, held: list[description]) -> None:
        """Describe what stands further up, at the level that it had there, without the names that came after it."""
        level, later = self._level, self._composer.take_anchors()
        self._level = held[0]["level"]
        self._describe(held)
        self._level = level
        for name in later:
            self._composer.anchor(name)

    def _describe(self, held: list[description]) -> None:
        """A heading with the signatures, or a line of them right under a heading that says the same."""
        self._waiting = []
        signature = Inline()
        signature.add(", ".join(node["signature"] for node in held))
        names = [name for node in held for name in node["names"]]
        for name in [name for node in held for name in (*node.get("anchors", ()), *self._qualified(node))]:
            self._composer.anchor(name)
        marks, self._marks = self._marks, []
        place = Place(line=held[0].line or self._line)
        heading = self._composer.last_text if self._composer.ends_with_heading else ""
        said = any(_same_name(name, heading) for name in names)
        if not said:
            self._composer.heading(signature, self._level + 1, place)
        else:
            self._composer.anchor_last(self._composer.take_anchors())
            if signature.text not in heading:
                self._composer.paragraph(signature, place)
        content = held[-1]
        if content.children:
            self._owners.append(names[0] if names else "")
            self._level += 0 if said else 1
            self.walk(content)
            self._announce_waiting()
            self._level -= 0 if said else 1
            self._owners.pop()
        self._marks = marks

    def _qualified(self, node: description) -> Iterator[str]:
        """Names, as they are and with what they belong to: a class and a module, or a program."""
        owner = self._owners[-1] if self._owners else ""
        for name in node["names"]:
            yield name
            if node["kind"] not in PYTHON_OBJECTS:
                if name.startswith("-") and self._program:
                    yield f"{self._program} {name}"
                continue
            member = f"{owner}.{name}" if owner and not name.startswith(f"{owner}.") else name
            if member != name:
                yield member
            if self._module and not member.startswith(f"{self._module}."):
                yield f"{self._module}.{member}"
                innermost = self._module.rsplit(".", 1)[-1]
                if innermost[:1].isupper():
                    yield f"{innermost}.{member}"

    def _glossary(self, node: glossary) -> None:
        for item in node.findall(nodes.definition_list_item):
            heading = Inline()
            for term in _elements(item, nodes.term):
                self._composer.anchor(nodes.fully_normalize_name(term.astext()))
                heading.add(", " if heading.length else "")
                heading.include(self._inline(term))
            self._composer.heading(heading, self._level + 1, Place(line=item.line or self._line))
            for definition in _elements(item, nodes.definition):
                self.walk(definition)

    def _bold_line(self, node: nodes.TextElement) -> None:
        self._composer.end_list()
        self._paragraph(node)

    def _paragraph(self, node: nodes.TextElement) -> None:
        self._add_text(self._inline(node))

    def _add_text(self, inline: Inline) -> None:
        if self._marks:
            mark = self._marks[-1] if self._mark_is_due else ""
            self._mark_is_due = False
            self._composer.item(inline, mark, len(self._marks) - 1, self._place)
        else:
            self._composer.paragraph(inline, self._place)

    def _list(self, node: nodes.Element) -> None:
        ordered = isinstance(node, nodes.enumerated_list)
        for number, item in enumerate(_elements(node), start=int(node.get("start", 1))):
            self._entry(f"{number}." if ordered else "-", Inline(), item)
        if not self._marks:
            self._composer.end_list()

    def _items(self, node: nodes.Element) -> None:
        self.walk(node)
        if not self._marks:
            self._composer.end_list()

    def _entry(self, mark: str, head: Inline, *bodies: nodes.Element) -> None:
        self._marks.append(mark)
        self._mark_is_due = True
        if head.text:
            self._add_text(head)
        for body in bodies:
            self.walk(body)
        self._mark_is_due = False
        self._marks.pop()

    def _definition(self, node: nodes.definition_list_item) -> None:
        head = Inline()
        for term in _elements(node, nodes.term, nodes.classifier):
            head.add(" : " if head.length and isinstance(term, nodes.classifier) else ", " if head.length else "")
            head.include(self._inline(term))
        self._entry("-", head, *_elements(node, nodes.definition))

    def _field(self, node: nodes.field) -> None:
        name, *bodies = _elements(node)
        head = self._inline(name)
        head.add(":")
        for body in bodies:
            if len(body.children) == 1 and isinstance(body[0], nodes.paragraph):
                head.add(" ")
                head.include(self._inline(body[0]))
                bodies = []
        self._entry("-", head, *bodies)

    def _option(self, node: nodes.option_list_item) -> None:
        head = Inline()
        head.add(", ".join(option.astext() for option in node.findall(nodes.option)))
        self._entry("-", head, *_elements(node, nodes.description))

    def _code(self, node: nodes.Element) -> None:
        self._composer.code(node.astext(), self._place)

    def _table(self, node: nodes.table) -> None:
        place = self._place
        for title in node.findall(nodes.title):
            self._composer.paragraph(self._inline(title), place)
        rows = [[self._cell(entry) for entry in _elements(row)] for row in node.findall(nodes.row)]
        self._composer.table(rows, place)

    def _cell(self, node: nodes.Element) -> Inline:
        cell = Inline()
        for block in node.findall(nodes.TextElement):
            if not isinstance(block, nodes.Inline):
                cell.add(" " if cell.length else "")
                cell.include(self._inline(block))
        return cell

    def _image(self, node: nodes.image) -> None:
        inline = Inline()
        inline.add(node.get("alt", ""))
        self._add_text(inline)

    def _target(self, node: nodes.target) -> None:
        if not node.get("refuri"):
            for name in node["names"]:
                self._composer.anchor(name)

    def _note(self, node: nodes.Element) -> None:
        label = "".join(f"[{label.astext()}]" for label in _elements(node, nodes.label))
        self._led_by(label, [child for child in _elements(node) if not isinstance(child, nodes.label)])

    def _admonition(self, node: nodes.Element) -> None:
        """`note` and its like say so in a word; others have a title of their own."""
        if node.tagname == "admonition":
            self.walk(node)
        else:
            self._led_by(f"{node.tagname.capitalize()}:", _elements(node))

    def _led_by(self, lead: str, children: list[nodes.Element]) -> None:
        """Children, with `lead` at the beginning of the first if that is a paragraph."""
        head = Inline()
        head.add(lead)
        if children and isinstance(children[0], nodes.paragraph):
            head.add(" ")
            head.include(self._inline(children[0]))
            children = children[1:]
        self._add_text(head)
        for child in children:
            self._one(child)

    def _system_message(self, node: nodes.system_message) -> None:
        """What docutils could not read is kept as it was written."""
        for block in node.findall(nodes.literal_block):
            inline = Inline()
            inline.add(block.astext())
            self._add_text(inline)

    def _inline(self, node: nodes.Element) -> Inline:
        inline = Inline()
        self._fill(node, inline)
        return inline

    def _fill(self, node: nodes.Element, inline: Inline) -> None:
        for child in node.children:
            if isinstance(child, nodes.Text):
                inline.add(child.astext())
            elif isinstance(child, nodes.substitution_reference):
                self._substitute(child, inline)
            elif isinstance(child, nodes.image):
                inline.add(child.get("alt", ""))
            elif isinstance(child, nodes.target):
                self._target(child)
                self._fill(child, inline)
            elif isinstance(child, (nodes.superscript, nodes.subscript)):
                inline.add(child.astext(), RAISED if isinstance(child, nodes.superscript) else LOWERED)
            elif isinstance(child, nodes.footnote_reference):
                inline.add(f" [{child.astext()}]" if child.children else "")
            elif isinstance(child, nodes.Element) and not isinstance(child, (nodes.raw, nodes.system_message)):
                inline.refer(self._target_of(child))
                self._fill(child, inline)

    def _substitute(self, node: nodes.substitution_reference, inline: Inline) -> None:
        definition = self._substitutions.get(node.get("refname", "")) or self._substitutions.get(node.astext())
        if definition is None:
            inline.add(node.astext())
        elif not isinstance(definition, nodes.substitution_definition) or not node.get("expanding"):
            # A definition may use itself: it is expanded once.
            node["expanding"] = True
            inline.add(definition.astext())

    def _target_of(self, node: nodes.Element) -> str | None:
        target = node.get(CROSS_REFERENCE)
        if target:
            return self._document_path(target) if node["role"] == "doc" else str(target)
        if isinstance(node, nodes.reference):
            name = node.get("refname")
            if name:
                return None if name in self._outside else f"{self._uri}#{nodes.make_id(name)}"
            return resolve_link(node.get("refuri", ""), self._uri)
        return None

    def _document_path(self, target: str) -> str | None:
        path = resolve_link(target, self._uri)
        return path if path is None or PurePosixPath(path).suffix == self._suffix else f"{path}{self._suffix}"


def _elements(node: nodes.Element, *kinds: type[nodes.Element]) -> list[nodes.Element]:
    """Children that are elements, of these kinds if any are given."""
    return [child for child in node.children if isinstance(child, kinds or nodes.Element)]


def _same_name(name: str, heading: str) -> bool:
    """Whether a heading names the object: `AdminSite.each_context` under "``each_context()``"."""
    plain = heading.lower().split("(")[0].strip("` ")
    return bool(plain) and (name.lower() == plain or name.lower().rsplit(".", 1)[-1] == plain.rsplit(".", 1)[-1])
