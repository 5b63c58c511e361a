"""Sentences, where chunks and citations look for them."""

from jargonaut.core.sentences import split_sentences

__all__ = ["split_sentences"]
