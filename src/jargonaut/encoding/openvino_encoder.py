"""An encoder run by OpenVINO on the CPU: bf16 where the CPU has it, float32 elsewhere."""

from __future__ import annotations

import queue
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jargonaut.core.errors import InputError, IntegrityError
from jargonaut.encoding.port import EncoderCard, TokenSink, TokenVectors, Vectors

BATCH_TOKENS = 4096
"""Most tokens of a batch, padding included: what bounds the memory, whatever the texts are."""

STATES = "LayerNormalization_"
"""How `bert_onnx` names the states of a layer."""
_TOKENIZED_AT_ONCE = 2048
_WIDTH_STEP = 8


class OpenVinoEncoder:
    """An `Encoder` on an exported ONNX model.

    Args:
        card: What it is.
        model_path: The ONNX file; mapped into memory.
        tokenizer_path: A `tokenizer.json` without truncation and padding.
        precision: `bf16`, `f32`, or empty for the fastest that the CPU computes itself.

    Raises:
        IntegrityError: The files cannot be read, or do not fit each other.
    """

    def __init__(self, card: EncoderCard, model_path: Path, tokenizer_path: Path, precision: str = "") -> None:
        from tokenizers import Tokenizer

        openvino = _openvino()

        self._card = card
        core = openvino.Core()
        native = "bf16" if "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES") else "f32"
        self.precision = precision or native
        options = {"INFERENCE_PRECISION_HINT": self.precision, "PERFORMANCE_HINT": "LATENCY"}
        try:
            self._model = core.compile_model(_with_tokens(core.read_model(str(model_path))), "CPU", options)
            self._tokenizer = Tokenizer.from_file(str(tokenizer_path))
            self._cutting_tokenizer = Tokenizer.from_file(str(tokenizer_path))
        except Exception as error:  # both libraries raise nothing narrower
            raise IntegrityError(
                f"Encoder {card.id} cannot be loaded: {error}", "Build again to export it anew."
            ) from error
        self._cutting_tokenizer.enable_truncation(card.max_tokens)
        self._idle: queue.SimpleQueue[Any] = queue.SimpleQueue()

    @property
    def card(self) -> EncoderCard:
        """See `Encoder.card`."""
        return self._card

    @property
    def text_tokens(self) -> int:
        """Most tokens of a chunk, as `token_spans` counts them: special tokens and document prompt are taken off."""
        return self._card.max_tokens - len(self._tokenizer.encode(self._card.document_prompt).ids)

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """See `Encoder.encode_queries`."""
        prompt = self._card.query_prompt
        return self._encode([prompt + text for text in texts], self._cutting_tokenizer)

    def encode_documents(self, texts: Sequence[str]) -> Vectors:
        """See `Encoder.encode_documents`."""
        prompt = self._card.document_prompt
        return self._encode([prompt + text for text in texts], self._tokenizer)

    @property
    def gives_tokens(self) -> bool:
        """See `TokenEncoder.gives_tokens`."""
        return len(self._model.outputs) > 1

    def encode_with_tokens(self, texts: Sequence[str], sink: TokenSink, *, as_queries: bool = False) -> Vectors:
        """See `TokenEncoder.encode_with_tokens`."""
        prompt = self._card.query_prompt if as_queries else self._card.document_prompt
        tokenizer = self._cutting_tokenizer if as_queries else self._tokenizer
        return self._encode([prompt + text for text in texts], tokenizer, _Tokens(sink, len(prompt)))

    def token_ids(self, text: str) -> NDArray[np.int32]:
        """See `TokenEncoder.token_ids`."""
        return np.array(self._tokenizer.encode(text, add_special_tokens=False).ids, dtype=np.int32)

    def token_spans(self, text: str) -> list[tuple[int, int]]:
        """See `Encoder.token_spans`."""
        return list(self._tokenizer.encode(text, add_special_tokens=False).offsets)

    def _encode(self, texts: list[str], tokenizer: Any, wanted: _Tokens | None = None) -> Vectors:
        if wanted and not self.gives_tokens:
            raise IntegrityError(
                f"Encoder {self._card.id} gives no vectors of single tokens.", "Build again to export it anew."
            )
        vectors = np.empty((len(texts), self._card.dimensions), dtype=np.float32)
        with self._request() as request:
            for start in range(0, len(texts), _TOKENIZED_AT_ONCE):
                part = texts[start : start + _TOKENIZED_AT_ONCE]
                # Where a token stands in the text is only found out if someone asks: that is the slower half.
                found = tokenizer.encode_batch(part) if wanted else tokenizer.encode_batch_fast(part)
                tokens = [np.array(encoding.ids, dtype=np.int64) for encoding in found]
                self._check_lengths(tokens, part)
                for rows in _batches([len(ids) for ids in tokens]):
                    vectors[start + rows], hidden = self._infer(request, [tokens[row] for row in rows])
                    if wanted:
                        for row, states in zip(rows.tolist(), hidden, strict=True):
                            wanted.give(start + row, found[row], states)
        return self._checked(vectors, texts)

    def _check_lengths(self, tokens: list[NDArray[np.int64]], texts: list[str]) -> None:
        for ids, text in zip(tokens, texts, strict=True):
            if len(ids) > self._card.max_tokens:
                raise InputError(
                    f"A text of {len(ids)} tokens was given to an encoder of {self._card.max_tokens}: {text[:80]!r}...",
                    "This is a fault of the chunker: please report it. A smaller limit in [chunking] avoids it.",
                )

    def _infer(self, request: Any, tokens: list[NDArray[np.int64]]) -> tuple[Vectors, Vectors]:
        """Vectors of the texts, and of all their tokens: shape (texts, width, dimensions), gone with the next call."""
        width = max(len(ids) for ids in tokens)
        if len(tokens) > 1:
            # Few distinct shapes: OpenVINO prepares its kernels once for each.
            width = min(-(-width // _WIDTH_STEP) * _WIDTH_STEP, self._card.max_tokens)
        input_ids = np.zeros((len(tokens), width), dtype=np.int64)
        mask = np.zeros_like(input_ids)
        for row, ids in enumerate(tokens):
            input_ids[row, : len(ids)] = ids
            mask[row, : len(ids)] = 1
        result = request.infer({"input_ids": input_ids, "attention_mask": mask})
        return np.array(result["embedding"], dtype=np.float32), result[self._model.outputs[-1]]

    def _checked(self, vectors: Vectors, texts: list[str]) -> Vectors:
        """Unit vectors, exactly: a bf16 model rounds. What is far from one is no vector at all."""
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        wrong = np.flatnonzero(~(np.abs(norms[:, 0] - 1) < 0.05))
        if wrong.size:
            raise IntegrityError(
                f"Encoder {self._card.id} gave no usable vector for {texts[wrong[0]][:80]!r}.",
                "Its weights are damaged: build again with a base encoder whose digest is right.",
            )
        vectors /= norms
        return vectors

    @contextmanager
    def _request(self) -> Iterator[Any]:
        """An inference request that no other thread uses; there are as many as threads ever encoded at once."""
        try:
            request = self._idle.get_nowait()
        except queue.Empty:
            request = self._model.create_infer_request()
        try:
            yield request
        finally:
            self._idle.put(request)


class _Tokens:
    """Hands on the tokens of texts that begin with a prompt of so many characters."""

    def __init__(self, sink: TokenSink, prompt: int) -> None:
        self._sink = sink
        self._prompt = prompt

    def give(self, text: int, encoding: Any, states: Vectors) -> None:
        special = np.array(encoding.special_tokens_mask, dtype=bool)
        starts = np.array([start for start, _ in encoding.offsets], dtype=np.intp)
        kept = np.flatnonzero(~special & (starts >= self._prompt))
        vectors = np.asarray(states[kept], dtype=np.float32)
        vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
        self._sink(text, TokenVectors(np.array(encoding.ids, dtype=np.int32)[kept], vectors))


def _with_tokens(model: Any) -> Any:
    """The model, also giving what it pools: the last normalised states. They are computed anyway, so they cost nothing.

    A graph of another make, in which they are not found, stays as it is.
    """
    normalised = [
        name
        for node in model.get_ordered_ops()
        for output in node.outputs()
        for name in output.get_names()
        if name.startswith(STATES) and output.get_partial_shape().rank.get_length() == 3
    ]
    if normalised:
        model.add_outputs(normalised[-1])
    return model


def _openvino() -> Any:
    """OpenVINO without its model converter, which reports every use to its makers: nothing of ours goes anywhere."""
    for unwanted in ("openvino_telemetry", "openvino.tools.ovc"):
        if unwanted not in sys.modules:
            sys.modules[unwanted] = None  # type: ignore[assignment]
    import openvino

    return openvino


def _batches(lengths: list[int]) -> Iterator[NDArray[np.intp]]:
    """Rows of similar length, at most `BATCH_TOKENS` with padding; longest first, so that memory peaks at once."""
    order = np.argsort(-np.array(lengths), kind="stable")
    start = 0
    while start < len(order):
        size = max(1, BATCH_TOKENS // max(lengths[order[start]], 1))
        yield order[start : start + size]
        start += size
