"""Statements to text with citation marks."""

from __future__ import annotations

from jargonaut.answering.answer import CitedStatement

UNSUPPORTED_MARK = "(not supported by the documents)"


class Prose:
    """Puts the statements of one answer one behind the other; another passage, and code, begin on a new line."""

    def __init__(self) -> None:
        self.text = ""
        self._last: CitedStatement | None = None

    def add(self, statement: CitedStatement) -> str:
        """Put `statement` behind the text; what was added to it."""
        added = self._gap(statement) + _marked(statement)
        self.text += added
        self._last = statement
        return added

    def _gap(self, statement: CitedStatement) -> str:
        if self._last is None:
            return ""
        if _is_block(self._last) or _is_block(statement) or _passages(self._last) != _passages(statement):
            return "\n\n"
        return " "


def _marked(statement: CitedStatement) -> str:
    marks = "".join(f"[{number}]" for number in dict.fromkeys(citation.number for citation in statement.citations))
    if statement.kind == "unsupported":
        marks = UNSUPPORTED_MARK
    if not marks:
        return statement.text
    if _is_block(statement):
        return f"```\n{statement.text}\n```\n{marks}"
    return f"{statement.text} {marks}"


def _is_block(statement: CitedStatement) -> bool:
    """Code and the like, whose line breaks matter."""
    return "\n" in statement.text


def _passages(statement: CitedStatement) -> list[str]:
    return [citation.chunk.chunk_id for citation in statement.citations]
