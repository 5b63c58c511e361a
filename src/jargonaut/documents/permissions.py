"""Who may read a document: the operator's rules decide, what the document itself says can only narrow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from jargonaut.core.errors import RuleError
from jargonaut.core.scope import PUBLIC, checked_principals
from jargonaut.documents.globs import compiled, matches
from jargonaut.documents.metadata import ALLOW

Texts = str | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """Who may read the documents that match."""

    match: str
    """Pattern of URIs, see `globs`."""
    allow: tuple[str, ...]
    metadata: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Names with the values of which a document's metadata must have one. A rule that has any can only narrow."""

    def is_about(self, uri: str, metadata: Mapping[str, Texts]) -> bool:
        """Whether the document matches."""
        return matches(self.match, uri) and all(
            _values(wanted) & _values(metadata.get(name.strip().lower(), ())) for name, wanted in self.metadata
        )


@dataclass(frozen=True, slots=True)
class Rules:
    """The operator's rules.

    Of those about paths alone, in order, the *first* that matches decides, else the default. Every rule about metadata
    that matches then takes readers away: metadata come from whoever wrote the document, and what a document says about
    itself may not open it.

    Raises:
        RuleError: A pattern or a principal cannot be read; the message names the rule.
    """

    rules: tuple[Rule, ...] = ()
    default_allow: tuple[str, ...] = (PUBLIC,)

    def __post_init__(self) -> None:
        for number, rule in enumerate(self.rules, start=1):
            where = f"Permission rule {number} (`{rule.match}`)"
            try:
                compiled(rule.match)
            except ValueError as error:
                raise RuleError(f"{where}: {error}.", 'Write a pattern such as "hr/**" or "*.md".') from error
            _checked(rule.allow, where)
        _checked(self.default_allow, "The default of the permission rules")

    def allow_for(self, uri: str, metadata: Mapping[str, Texts] = MappingProxyType({})) -> tuple[str, ...]:
        """Sorted principals that may read the document at `uri`; nobody if empty.

        Args:
            uri: Of the document.
            metadata: What it says about itself. Its `allow`, if there is one, only takes readers away too.

        Raises:
            RuleError: Its `allow` holds something that is not a principal.
        """
        readers = frozenset(self._decided(uri))
        for rule in self.rules:
            if rule.metadata and rule.is_about(uri, metadata):
                readers = readers_of_both(readers, frozenset(rule.allow))
        own = metadata.get(ALLOW)
        if own is not None:
            said = (own,) if isinstance(own, str) else own
            readers = readers_of_both(readers, _checked(said, f"{uri}, `allow`"))
        return tuple(sorted(readers))

    def _decided(self, uri: str) -> tuple[str, ...]:
        for rule in self.rules:
            if not rule.metadata and rule.is_about(uri, {}):
                return rule.allow
        return self.default_allow


def readers_of_both(one: frozenset[str], other: frozenset[str]) -> frozenset[str]:
    """Everyone has `public`, so a side that holds it takes nobody away."""
    if PUBLIC in one:
        return other
    if PUBLIC in other:
        return one
    return one & other


def _values(said: Texts) -> set[str]:
    return {value.strip().casefold() for value in ((said,) if isinstance(said, str) else said)}


def _checked(allow: Iterable[str], where: str) -> frozenset[str]:
    if isinstance(allow, str):
        raise RuleError(f"{where}: `{allow}` is not a list of principals.", 'Write a list: ["group:hr"].')
    return checked_principals(allow, where)
