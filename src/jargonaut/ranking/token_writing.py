"""Write the tokens of a revision: of chunks whose tokens are there already, nothing is encoded again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from jargonaut.core.canonical import canonical_json
from jargonaut.core.document import Chunk
from jargonaut.core.errors import RefusedError
from jargonaut.core.progress import Progress
from jargonaut.encoding.port import Encoder, TokenEncoder, Vectors, giving_tokens
from jargonaut.index.port import Snapshot
from jargonaut.index.token_store import TokenStoreWriter, open_token_store
from jargonaut.ranking.late_interaction import LateInteraction
from jargonaut.ranking.token_projection import TokenProjection, fit_projection, projection_from_bytes
from jargonaut.storage.port import Storage

FITTED_ON = 400
"""Chunks whose tokens a projection is fitted on."""
_BATCH_CHUNKS = 256

Texts = Iterable[tuple[str, str]]
"""Ids of chunks, and what is indexed of each."""


@dataclass(frozen=True, slots=True)
class TokenWriting:
    """Where tokens go, and what they come from."""

    storage: Storage
    load: Callable[[], TokenEncoder]
    """The document encoder, loaded when it is needed."""
    projection: TokenProjection

    def are_written(self, snapshot: Snapshot) -> bool:
        """Whether a revision has its tokens."""
        return open_token_store(self.storage, snapshot, self.projection.digest) is not None

    def held(self, table: str) -> frozenset[str]:
        """Chunks of a table whose tokens are written."""
        return TokenStoreWriter(self.storage, table, self.projection.digest).held()

    def write(
        self, snapshot: Snapshot, chunk_ids: Sequence[str], missing: Texts, progress: Progress
    ) -> LateInteraction | None:
        """Make the tokens of a revision whole.

        Args:
            snapshot: The revision.
            chunk_ids: All of its chunks.
            missing: Those whose tokens are not `held`; of others nothing is encoded.
            progress: Told how many of them are done.

        Raises:
            UnavailableError: The storage cannot be written. What was written is found by the next try.
        """
        writer = TokenStoreWriter(self.storage, snapshot.table, self.projection.digest)
        held, done = writer.held(), 0
        for batch in _batches((chunk, text) for chunk, text in missing if chunk not in held):
            self.encode(writer, batch)
            done += len(batch)
            progress("tokens", done, max(done, len(chunk_ids) - len(held)))
        writer.finish(snapshot, chunk_ids)
        store = open_token_store(self.storage, snapshot, self.projection.digest)
        return LateInteraction(self.projection, store) if store else None

    def encode(self, writer: TokenStoreWriter, batch: Sequence[tuple[str, str]]) -> Vectors:
        """Vectors of some chunks, shape (chunks, dimensions), their tokens into `writer`."""
        return self.load().encode_with_tokens(
            [text for _, text in batch],
            lambda number, found: writer.add(batch[number][0], found.ids, self.projection.quantised(found.vectors)),
        )


class ChunkEncoder:
    """Encodes the chunks of a build, and keeps their tokens where that is wanted: both come from one pass.

    Args:
        encoder: Of documents.
        tokens: Where tokens go; None: they are not kept.
        table: Whose chunks they are.
    """

    def __init__(self, encoder: Encoder, tokens: TokenWriting | None, table: str) -> None:
        self._encoder = encoder
        self._tokens = tokens
        self._store = TokenStoreWriter(tokens.storage, table, tokens.projection.digest) if tokens else None

    def encode(self, chunks: Sequence[Chunk]) -> Vectors:
        """Their vectors, shape (chunks, dimensions)."""
        texts = [(chunk.id, chunk.indexed_text) for chunk in chunks]
        if self._tokens and self._store:
            return self._tokens.encode(self._store, texts)
        return self._encoder.encode_documents([text for _, text in texts])

    def flush(self) -> None:
        """Write the tokens that are not written yet."""
        if self._store:
            self._store.flush()


def token_encoder(encoder: Encoder) -> TokenEncoder:
    """The encoder as one that gives tokens.

    Raises:
        RefusedError: It gives none.
    """
    giving = giving_tokens(encoder)
    if giving is None:
        raise RefusedError(
            f"The recipe compares tokens, and encoder {encoder.card.id} gives none.",
            "Roll back to a recipe that does not (`jargonaut releases list`).",
        )
    return giving


def projection_key(digest: str) -> str:
    """Where a projection is kept."""
    return f"projections/{digest}.safetensors"


def load_projection(storage: Storage, digest: str) -> TokenProjection:
    """A projection that a recipe names.

    Raises:
        UnknownNameError: It is not there.
        IntegrityError: It is damaged.
    """
    return projection_from_bytes(storage.get(projection_key(digest)))


def kept_projection(storage: Storage, space: str) -> TokenProjection | None:
    """The projection that was fitted for a space, if one was."""
    keys = list(storage.keys(_pointer(space)))
    return load_projection(storage, json.loads(storage.get(keys[0]))) if keys else None


def new_projection(storage: Storage, space: str, encoder: TokenEncoder, texts: Sequence[str]) -> TokenProjection:
    """The one that is kept for a space, or one fitted on `FITTED_ON` of the texts, spread evenly, and kept.

    Raises:
        InputError: They have no tokens.
    """
    if kept := kept_projection(storage, space):
        return kept
    batches: list[Vectors] = []
    sample = texts[:: max(1, len(texts) // FITTED_ON)][:FITTED_ON]
    encoder.encode_with_tokens(sample, lambda _, found: batches.append(np.array(found.vectors)))
    projection = fit_projection(batches)
    storage.put_if_absent(projection_key(projection.digest), projection.to_bytes())
    storage.put_if_absent(_pointer(space), canonical_json(projection.digest))
    return projection


def _pointer(space: str) -> str:
    return f"projections/of/{space}.json"


def _batches(texts: Texts) -> Iterator[list[tuple[str, str]]]:
    batch: list[tuple[str, str]] = []
    for item in texts:
        batch.append(item)
        if len(batch) == _BATCH_CHUNKS:
            yield batch
            batch = []
    if batch:
        yield batch
