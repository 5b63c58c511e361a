"""A BEIR folder evaluated in one call: `jargonaut evaluate`, and the same from Python."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from jargonaut.chunking.by_name import Choice, Tokens, make_chunker
from jargonaut.chunking.plain_tokens import word_spans
from jargonaut.core.canonical import digest_of
from jargonaut.core.errors import InputError
from jargonaut.core.progress import Progress, silent
from jargonaut.encoding.artifact import load_encoder, save_encoder
from jargonaut.encoding.base_weights import default_base, resolve_base
from jargonaut.encoding.openvino_encoder import OpenVinoEncoder
from jargonaut.encoding.port import Encoder
from jargonaut.evaluation.beir import BeirSet, read_beir, read_questions
from jargonaut.evaluation.collection import Place
from jargonaut.evaluation.evaluate import Evaluation, evaluate
from jargonaut.index.lance import LanceIndex
from jargonaut.storage.local import LocalStorage
from jargonaut.wiring import PLAIN_TOKENS

_LOOKED_AT = 500
"""Documents that the language is taken from."""


@dataclass(frozen=True, slots=True)
class EvaluationOptions:
    """What a user may choose."""

    split: str = ""
    """Of the judgments; empty for the first of `test_unseen`, `test`, `dev`, `train` that is there."""
    encoder: str = "auto"
    """Hub id, folder or `package:NAME`; `none` to search by words only."""
    max_tokens: int = 0
    """Of a chunk; 0: all that the encoder reads."""
    queries: Path | None = None
    """Questions without labels, one a line or JSON Lines; None: those of the folder that no judged split has."""
    documents_alone: bool = False
    """Whether no question without labels is looked at."""
    cache: Path | None = None
    """Where index and vectors are kept; None: below `XDG_CACHE_HOME` (`~/.cache`)."""


def evaluate_folder(
    folder: Path,
    options: EvaluationOptions = EvaluationOptions(),
    say: Callable[[str], None] = lambda text: None,
    progress: Progress = silent,
) -> Evaluation:
    """Measure every way to rank the collection in `folder`.

    Args:
        folder: With `corpus.jsonl`, `queries.jsonl` and `qrels/`.
        options: What to judge, and with which encoder.
        say: Told, in a sentence each, what was left out and why.
        progress: Told how far it is.

    Raises:
        InputError: The folder or the encoder cannot be used.
        MissingExtraError: The encoder must be fetched, and what fetches it is not installed.
        UnavailableError: The encoder cannot be fetched, or the disk refuses.
    """
    if options.documents_alone and options.queries:
        raise InputError("Questions were given, and it was said to look at none.", "Leave one of the two out.")
    log = [] if options.documents_alone else read_questions(options.queries) if options.queries else None
    data = read_beir(folder, options.split)
    for problem in data.problems.told:
        say(problem)
    if data.problems.count > len(data.problems.told):
        say(f"and {data.problems.count - len(data.problems.told)} more")
    cache = options.cache or _default_cache(folder)
    encoder = None if options.encoder == "none" else _encoder(data, options.encoder, cache)
    tokens = (
        Tokens(encoder.token_spans, encoder.card.max_tokens, encoder.card.space)
        if encoder
        else Tokens(word_spans, PLAIN_TOKENS, "words")
    )
    chunker = make_chunker(Choice(max_tokens=options.max_tokens), tokens)
    place = Place(LanceIndex(cache / "index"), LocalStorage(cache / "artifacts"))
    return evaluate(data, encoder, chunker, place, progress, log)


def _encoder(data: BeirSet, name: str, cache: Path) -> Encoder:
    if name == "auto":
        languages: dict[str, int] = {}
        for document in islice(data.corpus(), _LOOKED_AT):
            languages[document.language] = languages.get(document.language, 0) + 1
        name = default_base(languages)
    storage = LocalStorage(cache / "artifacts")
    stored = load_encoder(storage, save_encoder(storage, resolve_base(name)).id)
    return OpenVinoEncoder(stored.card, stored.model_path, stored.tokenizer_path)


def _default_cache(folder: Path) -> Path:
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    place = folder.resolve()
    return caches / "jargonaut" / "evaluate" / f"{place.name}-{digest_of(str(place))[:8]}"
