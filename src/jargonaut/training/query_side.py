"""Query-side tuning: the encoder of questions learns where the documents lie; no document is encoded again.

The document vectors are frozen, so a step can compare each question with every chunk, not only with those of its
batch: the loss is the negative log-likelihood of the relevant chunks, taken together (MIL-NCE, Miech et al. 2020), in a
softmax over all chunks that training may read. Averaging the weights with those of the base (WiSE-FT, Wortsman et al.
2022) gives a second candidate that gains less and harms less; which one is used is decided on held-out questions.
"""

from __future__ import annotations

import json
import logging
import math
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from jargonaut.core.canonical import digest_bytes, digest_of
from jargonaut.core.errors import InputError, MissingExtraError, RefusedError
from jargonaut.core.progress import Progress
from jargonaut.encoding.port import Vectors
from jargonaut.encoding.weights_folder import BaseWeights
from jargonaut.training.checkpoint import Checkpoint, Position
from jargonaut.training.tuned_weights import Candidate, finished, read_finished, write_candidate

if TYPE_CHECKING:
    import torch

    from jargonaut.training.query_model import QueryModel

MIN_QUESTIONS = 100
"""Fewer questions teach an encoder of millions of parameters their own wording and nothing else."""

Rows = NDArray[np.intp]

_TIMED_STEPS = 6
_SORTED_BATCHES = 16
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class TuningSet:
    """What is learned from: n questions over m chunks of documents that training may read."""

    questions: tuple[str, ...]
    """Without the query prompt."""
    chunks: Vectors
    """Shape (m, dimensions), unit length, from the document encoder."""
    relevant: tuple[Rows, ...]
    """For each question, rows of `chunks` that answer it; at least one."""
    ignored: tuple[Rows, ...]
    """For each question, rows that say nothing either way, such as where the question was taken from."""

    def __post_init__(self) -> None:
        if not len(self.questions) == len(self.relevant) == len(self.ignored):
            raise InputError("Every question needs its relevant and its ignored chunks.")
        if not all(len(rows) for rows in self.relevant):
            raise InputError("A question has no relevant chunk.")
        if not np.isfinite(self.chunks).all():
            raise InputError("A chunk's vector is not finite.", "Build the index again.")

    @property
    def digest(self) -> str:
        """Of everything in it."""
        rows = [[part.tolist() for part in side] for side in (self.relevant, self.ignored)]
        return digest_of([self.questions, rows, digest_bytes(np.ascontiguousarray(self.chunks).tobytes())])


@dataclass(frozen=True, slots=True)
class TuningSettings:
    """How to learn. The same set, base and settings, `steps` included, give the same weights on the same machine."""

    seed: int = 7
    budget_s: float = 300.0
    """Turned into a number of steps by timing a few that are thrown away."""
    steps: int | None = None
    """Exactly so many, whatever they take: how a recorded run is repeated."""
    epochs: float = 3.0
    """Most passes over the questions."""
    batch: int = 32
    learning_rate: float = 3e-5
    warm_up: float = 0.1
    """Share of the steps during which the learning rate rises; then it falls to zero, both linearly."""
    temperature: float = 0.05
    frozen_layers: int = 2
    """Lowest transformer layers that stay as they are, with the embeddings."""
    compared: int = 16384
    """Most chunks that a question is compared with in one step; a random sample of them if there are more."""
    question_tokens: int = 64
    """Longer questions are cut while training."""
    shares: tuple[float, ...] = (1.0, 0.5)
    """Of the way from the base to the tuned weights, one for each candidate."""
    checkpoint_every: int = 50


@dataclass(frozen=True, slots=True)
class TunedWeights:
    """What tuning came to."""

    candidates: tuple[Candidate, ...]
    """In the order of `TuningSettings.shares`."""
    steps: int
    seconds: float
    """Of training, interruptions not counted."""
    losses: tuple[float, ...]
    """One a step."""
    seed: int
    questions: int
    stopped: str
    """Why it ended early, or empty."""


def tune_query_encoder(
    base: BaseWeights, examples: TuningSet, settings: TuningSettings, work: Path, progress: Progress
) -> TunedWeights:
    """Train a query encoder for the space of `base`.

    Args:
        base: The encoder that made the vectors of the chunks.
        examples: What to learn from.
        settings: How.
        work: Folder for checkpoints and results; a killed run is taken up from there.
        progress: Told of every step.

    Raises:
        RefusedError: There are too few questions, or the loss was not finite from the start.
        MissingExtraError: torch or transformers is not installed.
    """
    if len(examples.questions) < MIN_QUESTIONS:
        raise RefusedError(
            f"There are {len(examples.questions)} questions to learn from; at least {MIN_QUESTIONS} are needed.",
            "The base encoder serves. More documents with headings, and links between them, give more.",
        )
    # Threads that wait by spinning starve whatever else runs: 4.5 times slower beside a busy service.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        from jargonaut.training.query_model import QueryModel
    except ModuleNotFoundError as error:
        if error.name not in ("torch", "transformers"):
            raise
        raise MissingExtraError("torch, with which encoders are tuned,", "train") from error
    identity = digest_of([base.digest, base.query_prompt, examples.digest, _what_matters(settings)])
    if done := _finished(base, settings, identity, work):
        progress("tune", done.steps, done.steps, "trained already")
        return done
    model = QueryModel(base, settings)
    checkpoint = Checkpoint(work / "checkpoint", identity)
    position = checkpoint.load(model) or Position(_plan_steps(model, examples, settings))
    trained = _train(model, examples, settings, checkpoint, position, progress)
    candidates = tuple(
        write_candidate(base, model.parameters_as_stored(), share, work / f"share-{share:g}")
        for share in settings.shares
    )
    result = TunedWeights(
        candidates,
        steps=trained.done,
        seconds=round(trained.seconds, 3),
        losses=trained.losses,
        seed=settings.seed,
        questions=len(examples.questions),
        stopped=trained.stopped,
    )
    _write_record(work / "tuning.json", base, settings, identity, result)
    checkpoint.remove()
    return result


def _finished(base: BaseWeights, settings: TuningSettings, identity: str, work: Path) -> TunedWeights | None:
    record = finished(work / "tuning.json", identity, settings.budget_s if settings.steps is None else None)
    candidates = read_finished(base, record, work) if record else None
    if record is None or candidates is None or tuple(c.share for c in candidates) != settings.shares:
        return None
    return TunedWeights(
        candidates,
        steps=record["steps"],
        seconds=record["seconds"],
        losses=tuple(record["losses"]),
        seed=record["seed"],
        questions=record["questions"],
        stopped=record["stopped"],
    )


def _what_matters(settings: TuningSettings) -> dict[str, Any]:
    """Settings without those that may differ between a run and its continuation."""
    return {
        key: value for key, value in asdict(settings).items() if key not in ("budget_s", "shares", "checkpoint_every")
    }


def _plan_steps(model: QueryModel, examples: TuningSet, settings: TuningSettings) -> int:
    """As many steps as were asked for, or as the epochs need and the budget allows."""
    if settings.steps is not None:
        return settings.steps
    started = time.monotonic()
    for step in range(_TIMED_STEPS):
        if step == 1:
            started = time.monotonic()  # The first one prepares kernels.
        _loss(model, examples, settings, step).backward()
        model.forget_gradients()
    seconds_a_step = (time.monotonic() - started) / (_TIMED_STEPS - 1)
    wanted = math.ceil(settings.epochs * len(examples.questions) / settings.batch)
    return max(1, min(wanted, int(settings.budget_s / seconds_a_step)))


def _train(
    model: QueryModel,
    examples: TuningSet,
    settings: TuningSettings,
    checkpoint: Checkpoint,
    position: Position,
    progress: Progress,
) -> Position:
    since = time.monotonic()
    while position.done < position.planned:
        loss = _loss(model, examples, settings, position.done)
        value = float(loss.detach())
        if not math.isfinite(value):
            return _last_good(model, checkpoint, position)
        if position.done and position.done % settings.checkpoint_every == 0:
            checkpoint.save(model, position)  # Here the parameters are known to give a finite loss.
        loss.backward()
        model.step(_learning_rate(settings, position))
        now = time.monotonic()
        position = position.after(value, now - since)
        since = now
        progress("tune", position.done, position.planned, f"loss {np.mean(position.losses[-20:]):.3f}")
    return position


def _last_good(model: QueryModel, checkpoint: Checkpoint, position: Position) -> Position:
    reason = f"the loss was not finite at step {position.done + 1}"
    _LOG.warning("Tuning stopped: %s.", reason)
    good = checkpoint.load(model)
    if good is None:
        raise RefusedError(f"Tuning failed: {reason}.", "The base encoder serves. Try a lower learning rate.")
    return good.stopped_by(reason)


def _learning_rate(settings: TuningSettings, position: Position) -> float:
    warm_up = max(1, round(settings.warm_up * position.planned))
    rising = (position.done + 1) / warm_up
    falling = (position.planned - position.done) / max(1, position.planned - warm_up)
    return settings.learning_rate * min(1.0, rising, falling)


def _loss(model: QueryModel, examples: TuningSet, settings: TuningSettings, step: int) -> torch.Tensor:
    """Mean loss of the batch of one step, which depends on the seed and the step alone."""
    import torch

    batch = _batch(examples, settings, step)
    rows = _compared(examples, batch, settings, step)
    column = np.full(len(examples.chunks), -1, dtype=np.intp)
    column[rows] = np.arange(len(rows))
    relevant = np.zeros((len(batch), len(rows)), dtype=bool)
    ignored = np.zeros_like(relevant)
    for line, question in enumerate(batch):
        relevant[line, column[examples.relevant[question]]] = True
        skipped = column[examples.ignored[question]]
        ignored[line, skipped[skipped >= 0]] = True
    vectors = model.encode([examples.questions[question] for question in batch])
    logits = vectors @ torch.from_numpy(examples.chunks[rows]).T / settings.temperature
    allowed = torch.from_numpy(~ignored | relevant)
    everything = torch.logsumexp(logits.masked_fill(~allowed, -torch.inf), dim=1)
    wanted = torch.logsumexp(logits.masked_fill(torch.from_numpy(~relevant), -torch.inf), dim=1)
    return (everything - wanted).mean()


def _batch(examples: TuningSet, settings: TuningSettings, step: int) -> Rows:
    """Every question once an epoch, in an order of the epoch's own.

    A question is compared with chunks, not with its neighbours, so those of a batch may be alike in length, which saves
    padding.
    """
    total = len(examples.questions)
    size = min(settings.batch, total)
    epoch, place = divmod(step, total // size)
    random = np.random.default_rng([settings.seed, 1, epoch])
    order = random.permutation(total)
    lengths = np.array([len(question) for question in examples.questions])
    window = _SORTED_BATCHES * size
    parts = [order[start : start + window] for start in range(0, total, window)]
    order = np.concatenate([part[np.argsort(lengths[part], kind="stable")] for part in parts])
    start = random.permutation(total // size)[place] * size
    return order[start : start + size]


def _compared(examples: TuningSet, batch: Rows, settings: TuningSettings, step: int) -> Rows:
    """Chunks in the softmax: all, or the relevant ones and a random sample."""
    total = len(examples.chunks)
    if total <= settings.compared:
        return np.arange(total)
    sample = np.random.default_rng([settings.seed, 2, step]).choice(total, settings.compared, replace=False)
    return np.unique(np.concatenate([sample, *(examples.relevant[question] for question in batch)]))


def _write_record(path: Path, base: BaseWeights, settings: TuningSettings, identity: str, result: TunedWeights) -> None:
    record = {
        "kind": "tuning",
        "format": 1,
        "base": base.name,
        "base_sha256": base.digest,
        "input": identity,
        "settings": asdict(settings),
        "steps": result.steps,
        "seconds": result.seconds,
        "seed": result.seed,
        "questions": result.questions,
        "stopped": result.stopped,
        "losses": [round(loss, 5) for loss in result.losses],
        "candidates": {f"{candidate.share:g}": candidate.weights.digest for candidate in result.candidates},
    }
    path.write_text(json.dumps(record, indent=1), encoding="utf-8")


def rows_of(chunk_ids: Sequence[str], row_by_chunk: Mapping[str, int]) -> Rows:
    """Rows of those chunks that have one."""
    return np.array(sorted(row_by_chunk[name] for name in chunk_ids if name in row_by_chunk), dtype=np.intp)
