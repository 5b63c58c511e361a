"""reStructuredText, as docutils reads it, with Sphinx's directives and roles kept readable."""

from __future__ import annotations

import io
import re

from docutils import nodes
from docutils.frontend import get_default_settings
from docutils.parsers.rst import Parser as DocutilsParser
from docutils.utils import new_document

from jargonaut.core.canonical import digest_bytes
from jargonaut.core.document import Document
from jargonaut.core.errors import RuleError
from jargonaut.documents.composing import Composer
from jargonaut.documents.encodings import decode
from jargonaut.documents.formats.doctree import DoctreeWalker
from jargonaut.documents.formats.long_lines import shortened
from jargonaut.documents.formats.sphinx_directives import register_directives
from jargonaut.documents.formats.sphinx_roles import register_roles
from jargonaut.documents.metadata import ALLOW, Metadata, metadata_of, split_plain_front_matter

_NEVER = 5
"""Above docutils' highest level: it neither stops nor reports."""
_LONGEST_LINE = 10_000_000
_MARKUP = re.compile(
    r"^\.\. (?:[\w:.+-]+::|_[^\n]+:|\[[^\]\n]+\] |\|[^|\n]+\| )|:[a-z][\w:+-]{0,60}:`[^`\n]+`", re.MULTILINE
)
_UNDERLINED = re.compile(r"^(?P<title>\S[^\n]{0,200})\n(?P<line>([=\-`:'\"~^_*+#<>.])\3{2,})[ \t]*$", re.MULTILINE)
_LITERAL = re.compile(r"``[^`\n]+``|::[ \t]*\n[ \t]*\n[ \t]+\S|^\.\. ", re.MULTILINE)


def is_restructuredtext(text: str) -> bool:
    """Whether a text file is clearly reStructuredText: by directives and roles, or underlined titles and literals."""
    if _MARKUP.search(text):
        return True
    titles = (len(match["line"]) >= len(match["title"].rstrip()) for match in _UNDERLINED.finditer(text))
    return any(titles) and _LITERAL.search(text) is not None


class RestructuredTextParser:
    """See `documents.port.Parser`."""

    def parse(self, data: bytes, uri: str) -> Document:
        """See `Parser.parse`."""
        front, text = split_plain_front_matter(decode(data))
        tree = _parsed("\n".join(map(shortened, text.split("\n"))))
        composer = Composer()
        fields = _field_list(tree)
        if ALLOW in front and ALLOW in fields:
            raise RuleError("Its front matter and its field list both say who may read it.", "Keep one of them.")
        metadata = fields | front
        DoctreeWalker(composer, uri, tree).walk_document(tree)
        title = front.get("title", "")
        return composer.document(
            uri, digest_bytes(data), "text/x-rst", metadata, title if isinstance(title, str) else ""
        )


def _parsed(text: str) -> nodes.document:
    register_directives(text)
    register_roles(text)
    settings = get_default_settings(DocutilsParser)
    settings.report_level = settings.halt_level = _NEVER
    settings.warning_stream = io.StringIO()
    settings.file_insertion_enabled = False
    settings.raw_enabled = False
    settings.syntax_highlight = "none"
    settings.line_length_limit = _LONGEST_LINE
    document = new_document("document", settings)
    DocutilsParser().parse(text, document)
    return document


def _field_list(tree: nodes.document) -> Metadata:
    """Fields at the very top, or right under the title, are the document's own, as in docutils and Sphinx."""
    within: nodes.Element = tree
    for _ in range(2):
        for child in within.children:
            if isinstance(child, nodes.field_list):
                pairs = [tuple(part.astext() for part in field.children) for field in child.findall(nodes.field)]
                return metadata_of({pair[0]: pair[1] for pair in pairs if len(pair) == 2})
            if isinstance(child, nodes.section):
                within = child
            if not isinstance(child, (nodes.comment, nodes.target, nodes.title)):
                break
    return {}
