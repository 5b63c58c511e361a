"""Markdown: CommonMark with tables, footnotes and front matter; MDX and admonition marks do not disturb."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode
from mdit_py_plugins.footnote import footnote_plugin
from selectolax.lexbor import LexborHTMLParser

from jargonaut.core.canonical import digest_bytes
from jargonaut.core.document import Document, Place
from jargonaut.documents.composing import Composer, Inline
from jargonaut.documents.encodings import decode
from jargonaut.documents.formats.html import LONGEST_LABEL, HtmlWalker
from jargonaut.documents.formats.html_visibility import Styling
from jargonaut.documents.formats.long_lines import shortened
from jargonaut.documents.formats.markdown_html import OpenElements, sheets_in, without_comments
from jargonaut.documents.links import resolve_link
from jargonaut.documents.metadata import split_front_matter

_MAX_NESTING = 100
_FENCE = re.compile(r"\s{0,3}(`{3,}|~{3,})")
_IMPORT = re.compile(r"import\s(?:[^'\"]*\sfrom\s+)?['\"][^'\"]+['\"];?\s*\Z|export\s+\{[^}]*\}.*\Z")
_MDX_COMMENT = re.compile(r"\{/\*(?:(?!\{/\*).)*?\*/\}")
_ADMONITION = re.compile(r"(?P<indent>\s*):{3,}\s*\{?(?P<kind>[\w-]+)\}?\s*(?P<title>.*)\Z")
_ADMONITION_END = re.compile(r"\s*:{3,}\s*\Z")
_ALERT = re.compile(r"\[!(NOTE|TIP|IMPORTANT|WARNING|CAUTION)\]\s*", re.IGNORECASE)
_SHORTCODE = re.compile(r"\{\{[<%](?:(?!\{\{).)*?[>%]\}\}")
# CommonMark does not see the end of emphasis between Chinese punctuation and a Chinese word.
_MISSED_STRONG = re.compile(r"\*\*(?=[^\s*])([^*\n]+?)\*\*")
_HEADING_ID = re.compile(r"\s*\{#(?P<id>[^\s}]+)[^}]*\}\s*\Z")
_HTML_ANCHOR = re.compile(r"<\w+[^>]*?\s(?:id|name)\s*=\s*[\"']?([^\"'\s>]+)")
_LEAVES = frozenset({"heading", "paragraph", "fence", "code_block", "table"})
_NOT_IN_SLUG = re.compile(r"[^\w\- ]")


class MarkdownParser:
    """See `documents.port.Parser`."""

    def parse(self, data: bytes, uri: str) -> Document:
        """See `Parser.parse`."""
        metadata, text = split_front_matter(decode(data))
        composer = Composer()
        add_markdown(composer, uri, text)
        title = metadata.get("title", "")
        return composer.document(
            uri, digest_bytes(data), "text/markdown", metadata, title if isinstance(title, str) else ""
        )


def add_markdown(composer: Composer, uri: str, text: str, place: Place | None = None) -> None:
    """Add the blocks of `text` to `composer`, all of them at `place`, or each at its own line."""
    tokens = _markdown().parse(_without_extensions(text))
    tree = SyntaxTreeNode(tokens)
    raw = [node.content for node in tree.walk() if node.type in ("html_block", "html_inline")]
    _Walker(composer, uri, place, sheets_in(raw)).walk(tree)


def slug(heading: str) -> str:
    """The anchor that GitHub and most site generators give a heading."""
    return _NOT_IN_SLUG.sub("", heading.lower()).strip().replace(" ", "-")


def _markdown() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"maxNesting": _MAX_NESTING}).enable(["table", "strikethrough"])
    return parser.use(footnote_plugin)


def _without_extensions(text: str) -> str:
    """`text` with the marks of MDX and of admonitions taken out, line by line, code left alone."""
    lines = text.split("\n")
    fence = ""
    for number, line in enumerate(lines):
        mark = _FENCE.match(line)
        if fence:
            if mark and mark[1].startswith(fence) and not line.strip(" `~"):
                fence = ""
        elif mark:
            fence = mark[1]
        else:
            lines[number] = shortened(_plain_line(line))
    return "\n".join(lines)


def _plain_line(line: str) -> str:
    if line.startswith(("import ", "export ")) and _IMPORT.match(line):
        return ""
    if ":::" in line:
        if _ADMONITION_END.match(line):
            return ""
        admonition = _ADMONITION.match(line)
        if admonition:
            return f"{admonition['indent']}{admonition['title'].strip(' []') or admonition['kind'].capitalize()}:"
    if "{{" in line:
        line = _SHORTCODE.sub("", line)
    return _MDX_COMMENT.sub("", line) if "{/*" in line else line


class _Walker:
    def __init__(self, composer: Composer, uri: str, place: Place | None, sheets: Sequence[str]) -> None:
        self._composer = composer
        self._uri = uri
        self._fixed_place = place
        self._marks: list[str] = []
        self._mark_is_due = False
        self._slugs: Counter[str] = Counter()
        self._sheets = sheets
        self._around = OpenElements(sheets)
        self._line = 1
        self._handlers: Mapping[str, Callable[[SyntaxTreeNode], None]] = {
            "heading": self._heading,
            "paragraph": self._paragraph,
            "bullet_list": self._list,
            "ordered_list": self._list,
            "fence": self._code,
            "code_block": self._code,
            "table": self._table,
            "html_block": self._html,
            "hr": lambda node: self._composer.end_list(),
            "footnote_anchor": lambda node: None,
        }

    def walk(self, node: SyntaxTreeNode) -> None:
        """Add what is in `node`."""
        for child in node.children:
            if child.map:
                self._line = child.map[0] + 1
            handler = self._handlers.get(child.type, self.walk)
            if child.type in _LEAVES and (why := self._around.why):
                self._composer.hide(why, _all_text(child))
            else:
                handler(child)

    @property
    def _place(self) -> Place:
        return self._fixed_place or Place(line=self._line)

    def _heading(self, node: SyntaxTreeNode) -> None:
        inline = self._inline(node)
        explicit = _HEADING_ID.search(inline.text)
        if explicit:
            text = inline.text[: explicit.start()]
            self._composer.anchor(explicit["id"])
            references = inline.references
            inline = Inline()
            inline.add(text)
            inline.references.extend(references)
        name = slug(inline.text)
        self._composer.anchor(f"{name}-{self._slugs[name]}" if self._slugs[name] else name)
        self._slugs[name] += 1
        self._composer.heading(inline, int(node.tag[1]), self._place)

    def _paragraph(self, node: SyntaxTreeNode) -> None:
        inline = self._inline(node)
        if self._marks:
            mark = self._marks[-1] if self._mark_is_due else ""
            self._mark_is_due = False
            self._composer.item(inline, mark, len(self._marks) - 1, self._place)
        else:
            self._composer.paragraph(inline, self._place)

    def _list(self, node: SyntaxTreeNode) -> None:
        ordered = node.type == "ordered_list"
        first = int(node.attrs.get("start", 1))
        for number, item in enumerate(node.children, start=first):
            self._marks.append(f"{number}." if ordered else "-")
            self._mark_is_due = True
            self.walk(item)
            self._mark_is_due = False
            self._marks.pop()
        if not self._marks:
            self._composer.end_list()

    def _code(self, node: SyntaxTreeNode) -> None:
        self._composer.code(node.content, self._place)

    def _table(self, node: SyntaxTreeNode) -> None:
        place = self._place
        rows = [[self._inline(cell) for cell in row.children] for part in node.children for row in part.children]
        self._composer.table(rows, place)

    def _html(self, node: SyntaxTreeNode) -> None:
        html, comments = without_comments(node.content)
        for comment in comments:
            self._composer.hide("comment", comment)
        tree = LexborHTMLParser(html)
        why = self._around.why
        self._around.take(html)
        if tree.body is None:
            return
        if why:
            self._composer.hide(why, tree.body.text())
            return
        styling = Styling(tree, self._sheets)
        walker = HtmlWalker(self._composer, self._uri, html, styling, self._line, place=self._fixed_place)
        walker.walk(tree.body)

    def _inline(self, node: SyntaxTreeNode) -> Inline:
        inline = Inline()
        depth = self._around.depth
        for child in node.children:
            self._add(child, inline)
        self._around.back_to(depth)
        return inline

    def _add(self, node: SyntaxTreeNode, inline: Inline) -> None:
        if node.type == "html_inline":
            self._inline_html(node.content, inline)
        elif why := self._around.why if not node.children else "":
            self._composer.hide(why, _all_text(node))
        elif node.type == "code_inline":
            inline.add(node.content, self._around.script)
        elif node.type == "text":
            text = _MISSED_STRONG.sub(r"\1", node.content)
            alert = _ALERT.match(text) if not inline.length else None
            shown = f"{alert[1].capitalize()}: {text[alert.end() :]}" if alert else text
            inline.add(shown, self._around.script)
        elif node.type in ("softbreak", "hardbreak"):
            inline.soft_break()
        elif node.type == "image":
            text = str(node.content)
            if len(text) <= LONGEST_LABEL:
                inline.add(text)
            else:
                self._composer.hide("alternative text", text)
        elif node.type != "footnote_ref":
            if node.type == "link":
                inline.refer(resolve_link(str(node.attrs.get("href", "")), self._uri))
            for child in node.children:
                self._add(child, inline)

    def _inline_html(self, tag: str, inline: Inline) -> None:
        if tag.lower().startswith("<br"):
            inline.soft_break()
        html, comments = without_comments(tag)
        for comment in comments:
            self._composer.hide("comment", comment)
        self._around.take(html, within_line=True)
        anchor = _HTML_ANCHOR.match(tag)
        if anchor:
            self._composer.anchor(anchor[1])


def _all_text(node: SyntaxTreeNode) -> str:
    return "".join(
        each.content for each in node.walk() if each.type not in ("inline", "html_inline") and not each.children
    )
