"""The chunker that the settings of a knowledge base ask for, and the one that a table was cut with."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence

from jargonaut.chunking.by_name import Choice, Tokens, make_chunker
from jargonaut.chunking.plain_tokens import word_spans
from jargonaut.chunking.port import Chunker
from jargonaut.chunking.routed import RoutedChunker, Rule
from jargonaut.core.canonical import canonical_json, digest_of
from jargonaut.core.errors import RefusedError, UnknownNameError
from jargonaut.documents.globs import matches
from jargonaut.encoding.origin import tokens_name
from jargonaut.encoding.port import EncoderCard
from jargonaut.encoding.tokens import StoredTokens
from jargonaut.settings import ChunkingSettings
from jargonaut.wiring import PLAIN_TOKENS, KnowledgeBase

_HEADING = "heading-1"
_FORMAT = 1


def tokens_of(base: KnowledgeBase, card: EncoderCard | None) -> Tokens:
    """How tokens are counted for an encoder, or without one."""
    if card is None:
        return Tokens(word_spans, PLAIN_TOKENS, "words")
    tokens = StoredTokens(base.storage, card)
    limit = min(base.settings.encoder.max_tokens or tokens.limit, tokens.limit)
    return Tokens(tokens.spans, limit, tokens_name(base.storage, card))


def wanted_chunker(base: KnowledgeBase, card: EncoderCard | None) -> Chunker:
    """As the settings say. What they say is stored, so that `chunker_of` finds it when they say something else."""
    tokens = tokens_of(base, card)
    rules = rules_of(base.settings.chunking)
    chunker = chunker_by(rules, tokens)
    if rules:
        value = {"format": _FORMAT, "limit": tokens.limit, "rules": [dataclasses.asdict(rule) for rule in rules]}
        base.storage.put_if_absent(_key(chunker.id), canonical_json(value))
    return chunker


def chunker_of(base: KnowledgeBase, chunker_id: str, card: EncoderCard | None) -> Chunker:
    """The chunker with this id, whatever the settings say now.

    Raises:
        RefusedError: It is of another version of Jargonaut, or what it was told is not known any more.
    """
    wanted = wanted_chunker(base, card)
    if wanted.id == chunker_id:
        return wanted
    limit, rules = _stored(base, chunker_id)
    chunker = chunker_by(rules, dataclasses.replace(tokens_of(base, card), limit=limit)) if limit else wanted
    if chunker.id != chunker_id:
        raise RefusedError(
            f"The documents were cut by `{chunker_id}`, which this version cannot make again.",
            "Build again (`jargonaut build`), and promote what it makes.",
        )
    return chunker


def rules_of(settings: Sequence[ChunkingSettings]) -> list[Rule]:
    """The rules of a knowledge base."""
    return [
        Rule(item.match, Choice(item.chunker, item.max_tokens, item.overlap, item.parent_tokens)) for item in settings
    ]


def chunker_by(rules: Sequence[Rule], tokens: Tokens) -> Chunker:
    """The chunker that rules make; without any, by heading."""
    return RoutedChunker(rules, Choice(), tokens, matches) if rules else make_chunker(Choice(), tokens)


def _stored(base: KnowledgeBase, chunker_id: str) -> tuple[int, list[Rule]]:
    """Limit and rules of a chunker; a limit of 0 if they are not known."""
    name, limit, *_ = f"{chunker_id}//".split("/")
    if name == _HEADING and limit.isdecimal():
        return int(limit), []
    try:
        value = json.loads(base.storage.get(_key(chunker_id)))
    except UnknownNameError:
        return 0, []
    return value["limit"], [Rule(rule["pattern"], Choice(**rule["choice"])) for rule in value["rules"]]


def _key(chunker_id: str) -> str:
    return f"chunkers/{digest_of(chunker_id)}.json"
