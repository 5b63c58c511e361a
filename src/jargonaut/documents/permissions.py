"""Who may read a document: the operator's rules decide, what the document itself says can only narrow."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from jargonaut.core.errors import RuleError
from jargonaut.core.scope import PUBLIC, checked_principals
from jargonaut.documents.globs import compiled


@dataclass(frozen=True, slots=True)
class Rules:
    """The operator's rules, in order: of those whose pattern matches, the *first* decides; else the default.

    Raises:
        RuleError: A pattern or a principal cannot be read; the message names the rule.
    """

    rules: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Pairs of a pattern of URIs (see `globs`) and the principals that may read what matches."""
    default_allow: tuple[str, ...] = (PUBLIC,)

    def __post_init__(self) -> None:
        for number, (pattern, allow) in enumerate(self.rules, start=1):
            where = f"Permission rule {number} (`{pattern}`)"
            try:
                compiled(pattern)
            except ValueError as error:
                raise RuleError(f"{where}: {error}.", 'Write a pattern such as "hr/**" or "*.md".') from error
            _checked(allow, where)
        _checked(self.default_allow, "The default of the permission rules")

    def allow_for(self, uri: str, own: Iterable[str] | None = None) -> tuple[str, ...]:
        """Sorted principals that may read the document at `uri`; nobody if empty.

        Args:
            uri: Of the document.
            own: The document's own `allow`; None if it says nothing. It only takes readers away: whoever may read must
                be allowed by both.

        Raises:
            RuleError: `own` holds something that is not a principal.
        """
        operator = frozenset(self._decided(uri))
        if own is None:
            return tuple(sorted(operator))
        document = _checked(own, f"{uri}, `allow`")
        return tuple(sorted(_readers_of_both(operator, document)))

    def _decided(self, uri: str) -> tuple[str, ...]:
        for pattern, allow in self.rules:
            if compiled(pattern).fullmatch(uri):
                return allow
        return self.default_allow


def _readers_of_both(one: frozenset[str], other: frozenset[str]) -> frozenset[str]:
    """Everyone has `public`, so a side that holds it takes nobody away."""
    if PUBLIC in one:
        return other
    if PUBLIC in other:
        return one
    return one & other


def _checked(allow: Iterable[str], where: str) -> frozenset[str]:
    if isinstance(allow, str):
        raise RuleError(f"{where}: `{allow}` is not a list of principals.", 'Write a list: ["group:hr"].')
    return checked_principals(allow, where)
