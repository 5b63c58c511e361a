"""Full tuning: questions and passages learn together, and the documents are encoded anew.

The loss is a softmax over the passages of a batch (InfoNCE, van den Oord et al. 2018), with hard negatives from the
fused ranking, without what is right too. How far along the way from the base to the tuned weights the result stands
(WiSE-FT, Wortsman et al. 2022) is decided on a slice of the training questions that is not learned from.
"""

from __future__ import annotations

import json
import logging
import math
import os
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from jargonaut.core.canonical import digest_of
from jargonaut.core.errors import MissingExtraError, RefusedError
from jargonaut.core.progress import Progress
from jargonaut.encoding.weights_folder import BaseWeights
from jargonaut.training.batches import Batches
from jargonaut.training.checkpoint import Checkpoint, Position
from jargonaut.training.development import Slices, divide_questions, reciprocal_rank
from jargonaut.training.examples import TrainingSet
from jargonaut.training.tuned_weights import Candidate, blended, finished, read_finished, write_candidate

if TYPE_CHECKING:
    from jargonaut.training.contrastive_model import ContrastiveModel
    from jargonaut.training.network import Tokens

MIN_QUESTIONS = 100
"""Fewer questions teach an encoder of millions of parameters their own wording and nothing else."""
RECORD = "tuning.json"

_TIMED_STEPS = 4
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FullTuningSettings:
    """How to learn. The same set, base and settings, `steps` and `threads` included, give the same weights in fp32."""

    seed: int = 7
    budget_s: float = 600.0
    """Turned into a number of steps by timing a few that are thrown away."""
    steps: int | None = None
    """Exactly so many, whatever they take: how a recorded run is repeated."""
    epochs: float = 3.0
    """Most passes over the questions."""
    batch: int = 64
    """Questions of a step, whatever memory there is."""
    learning_rate: float = 5e-5
    warm_up: float = 0.1
    """Share of the steps during which the learning rate rises; then it falls to zero, both linearly."""
    weight_decay: float = 0.0
    temperature: float = 0.05
    frozen_layers: int = 0
    frozen_embeddings: bool = True
    """They are half of the parameters of a small encoder, and learn next to nothing from some thousand texts."""
    hard: float = 0.25
    """Hard negatives of each question in a step, in the mean. Each stands in the softmax of every question, and costs
    as much as an answer; the neighbours that a batch is made of are hard negatives of each other for nothing."""
    symmetric: bool = True
    """Whether passages look for their questions too."""
    matryoshka: tuple[int, ...] = ()
    """Lengths at which cut vectors are to serve too."""
    distillation: float = 0.0
    """Weight of the divergence from the teacher's lists; 0 learns from the answers alone."""
    listed: int = 4
    """Passages of its teacher's list that a question meets in a step, where there is a teacher."""
    question_tokens: int = 128
    passage_tokens: int = 256
    """Longer ones are cut while training."""
    shares: tuple[float, ...] = (1.0, 0.5)
    """Of the way from the base to the tuned weights, one for each candidate."""
    development: float = 0.1
    """Share of the answers' documents whose questions are not learned from, but judge; 0 judges nothing."""
    judgements: int = 4
    """How often the slice is judged."""
    patience: int = 2
    """Judgements without a gain after which training stops."""
    checkpoint_every: int = 25
    precision: str = "auto"
    """`fp32`, `bf16`, `fp16`, or `auto`: what the machine is fastest in."""
    threads: int = 0
    """Of the CPU; 0 for all."""
    memory_mb: int = 2048
    """For what a backward pass holds; a larger batch is computed in parts."""


@dataclass(frozen=True, slots=True)
class FullyTuned:
    """What a full tuning came to."""

    candidates: tuple[Candidate, ...]
    """Best on the development slice first; in the order of `shares` where nothing was judged."""
    scores: tuple[float, ...]
    """Mean reciprocal rank of each on the slice; empty where nothing was judged."""
    base_score: float
    """Of the base; NaN where nothing was judged."""
    steps: int
    seconds: float
    """Of training, interruptions not counted."""
    losses: tuple[float, ...]
    questions: int
    seed: int
    stopped: str
    """Why it ended early, or empty."""


def tune_encoder(
    base: BaseWeights, examples: TrainingSet, settings: FullTuningSettings, work: Path, progress: Progress
) -> FullyTuned:
    """Train an encoder of its own space on questions and their answers.

    Args:
        base: Where it starts.
        examples: What to learn from.
        settings: How.
        work: Folder for checkpoints and results; a killed run is taken up from there.
        progress: Told of every step.

    Raises:
        RefusedError: There are too few questions, memory is not enough, or the loss was not finite from the start.
        InputError: The base cannot be trained, or not in the precision that was asked for.
        MissingExtraError: torch or transformers is not installed.
    """
    if len(examples.questions) < MIN_QUESTIONS:
        raise RefusedError(
            f"There are {len(examples.questions)} questions to learn from; at least {MIN_QUESTIONS} are needed: fewer "
            "teach an encoder their own wording and nothing else.",
            "The base encoder serves. Labels, or more documents with headings and links, give more.",
        )
    # Threads that wait by spinning starve whatever else runs: 4.5 times slower beside a busy service.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        import torch

        from jargonaut.training.contrastive_model import ContrastiveModel
        from jargonaut.training.precision import best_precision
    except ModuleNotFoundError as error:
        if error.name not in ("torch", "transformers"):
            raise
        raise MissingExtraError("torch, with which encoders are tuned,", "train") from error
    if settings.threads:
        torch.set_num_threads(settings.threads)
    precision = best_precision(settings.precision)
    identity = digest_of(
        [base.digest, base.query_prompt, base.document_prompt, examples.digest, _what_matters(settings)]
    )
    if done := _finished(base, settings, identity, work):
        progress("tune", done.steps, done.steps, "trained already")
        return done
    model = ContrastiveModel(base, settings, precision)
    run = _Run(base, model, examples, settings, Checkpoint(work / "checkpoint", identity), progress)
    position = run.train()
    result = run.candidates(position, work)
    machine = {"precision": precision.numbers, "device": precision.device, "threads": torch.get_num_threads()}
    _write_record(work / RECORD, base, settings, identity, machine, result)
    run.checkpoint.remove()
    return result


def _what_matters(settings: FullTuningSettings) -> dict[str, Any]:
    """Settings without those that may differ between a run and its continuation."""
    free = ("budget_s", "shares", "checkpoint_every", "memory_mb", "threads")
    return {key: value for key, value in asdict(settings).items() if key not in free}


class _Run:
    """One training, from a checkpoint or the beginning."""

    def __init__(
        self,
        base: BaseWeights,
        model: ContrastiveModel,
        examples: TrainingSet,
        settings: FullTuningSettings,
        checkpoint: Checkpoint,
        progress: Progress,
    ) -> None:
        self._base, self._model, self._examples, self._settings = base, model, examples, settings
        self.checkpoint = checkpoint
        self._progress = progress
        self._slices: Slices = divide_questions(examples, settings.development, settings.seed)
        listed = settings.listed if settings.distillation else 0
        self._batches = Batches(
            examples, self._slices.learned_from, settings.batch, settings.hard, listed, settings.seed
        )

    def train(self) -> Position:
        position = self.checkpoint.load(self._model)
        if position is None:
            position = Position(self._planned_steps())
            if self._slices.judging:
                position = self._judged(position)
            self.checkpoint.save(self._model, position)
        every = max(1, math.ceil(position.planned / max(1, self._settings.judgements)))
        since = time.monotonic()
        while position.done < position.planned and not position.stopped:
            value = self._gradient(position.done)
            if not math.isfinite(value):
                return self._last_good(position)
            if position.done % self._settings.checkpoint_every == 0 and position.done:
                self.checkpoint.save(self._model, position)  # Here the parameters are known to give a finite loss.
            self._model.step(_learning_rate(self._settings, position))
            now = time.monotonic()
            position, since = position.after(value, now - since), now
            note = f"loss {np.mean(position.losses[-20:]):.3f}"
            if self._slices.judging and (position.done % every == 0 or position.done == position.planned):
                position = self._stopped_if_worse(self._judged(position))
                since = time.monotonic()
            if position.judged:
                note += f", development {position.judged[-1][1]:.3f} (base {position.judged[0][1]:.3f})"
            self._progress("tune", position.done, position.planned, note)
        return position

    def candidates(self, position: Position, work: Path) -> FullyTuned:
        """Write the candidates, the best on the slice first."""
        tuned = self.checkpoint.best or self._model.text.values()
        start = _stored(self._base, tuned)
        scored = []
        for share in self._settings.shares:
            candidate = write_candidate(self._base, tuned, share, work / f"share-{share:g}")
            score = math.nan
            if self._slices.judging:
                self._model.text.put({name: blended(start[name], value, share) for name, value in tuned.items()})
                score = self._score()
            scored.append((score, candidate))
        if self._slices.judging:
            scored.sort(key=lambda item: -item[0])
        return FullyTuned(
            candidates=tuple(candidate for _, candidate in scored),
            scores=tuple(score for score, _ in scored if not math.isnan(score)),
            base_score=position.judged[0][1] if position.judged else math.nan,
            steps=position.done,
            seconds=round(position.seconds, 3),
            losses=position.losses,
            questions=len(self._slices.learned_from),
            seed=self._settings.seed,
            stopped=position.stopped,
        )

    def _planned_steps(self) -> int:
        """As many steps as were asked for, or as the epochs need and the budget allows."""
        settings = self._settings
        if settings.steps is not None:
            return settings.steps
        started = time.monotonic()
        for step in range(_TIMED_STEPS):
            if step == 1:
                started = time.monotonic()  # The first one prepares kernels.
            self._gradient(step)
            self._model.forget_gradients()
        seconds_a_step = (time.monotonic() - started) / (_TIMED_STEPS - 1)
        wanted = math.ceil(settings.epochs * self._batches.of_an_epoch)
        return max(1, min(wanted, int(settings.budget_s / seconds_a_step)))

    def _gradient(self, step: int) -> float:
        batch = self._batches.batch(step)
        questions = self._questions([self._examples.questions[row] for row in batch.questions])
        return self._model.gradient(questions, self._passages(batch.passages), batch)

    def _questions(self, texts: Sequence[str]) -> list[Tokens]:
        return self._model.text.questions(texts, self._settings.question_tokens)

    def _passages(self, rows: NDArray[np.intp]) -> list[Tokens]:
        texts = [self._examples.passages[row] for row in rows]
        return self._model.text.passages(texts, self._settings.passage_tokens)

    def _score(self) -> float:
        slices = self._slices
        asked = self._model.vectors(self._questions([self._examples.questions[row] for row in slices.development]))
        return reciprocal_rank(self._examples, slices, asked @ self._model.vectors(self._passages(slices.pool)).T)

    def _judged(self, position: Position) -> Position:
        score = self._score()
        if position.judged and score > max(score for _, score in position.judged):
            self.checkpoint.best = self._model.text.values()
        return position.with_score(score)

    def _stopped_if_worse(self, position: Position) -> Position:
        scores = [score for _, score in position.judged]
        since_best = len(scores) - 1 - int(np.argmax(scores))
        if since_best < self._settings.patience or position.done == position.planned:
            return position
        return position.stopped_by(f"no gain on the development slice since step {position.judged[-1 - since_best][0]}")

    def _last_good(self, position: Position) -> Position:
        reason = f"the loss was not finite at step {position.done + 1}"
        _LOG.warning("Tuning stopped: %s.", reason)
        self._model.forget_gradients()
        good = self.checkpoint.load(self._model)
        if good is None or not good.done:
            raise RefusedError(f"Tuning failed: {reason}.", "The base encoder serves. Try a lower learning rate.")
        return good.stopped_by(reason)


def _finished(base: BaseWeights, settings: FullTuningSettings, identity: str, work: Path) -> FullyTuned | None:
    record = finished(work / RECORD, identity, settings.budget_s if settings.steps is None else None)
    candidates = read_finished(base, record, work) if record else None
    if record is None or candidates is None or {c.share for c in candidates} != set(settings.shares):
        return None
    scores, base_score = record["development"]["candidates"], record["development"]["base"]
    return FullyTuned(
        candidates,
        scores=tuple(scores),
        base_score=math.nan if base_score is None else base_score,
        steps=record["steps"],
        seconds=record["seconds"],
        losses=tuple(record["losses"]),
        questions=record["questions"],
        seed=record["seed"],
        stopped=record["stopped"],
    )


def _stored(base: BaseWeights, tuned: dict[str, NDArray[Any]]) -> dict[str, NDArray[np.float32]]:
    """The base's own values of what was trained."""
    from safetensors.numpy import load_file

    from jargonaut.encoding.weights_folder import PREFIXES, WEIGHTS

    tensors = load_file(base.folder / WEIGHTS)
    stored = {name: next(prefix + name for prefix in PREFIXES if prefix + name in tensors) for name in tuned}
    return {name: tensors[there].astype(np.float32) for name, there in stored.items()}


def _learning_rate(settings: FullTuningSettings, position: Position) -> float:
    warm_up = max(1, round(settings.warm_up * position.planned))
    rising = (position.done + 1) / warm_up
    falling = (position.planned - position.done) / max(1, position.planned - warm_up)
    return settings.learning_rate * min(1.0, rising, falling)


def _write_record(
    path: Path,
    base: BaseWeights,
    settings: FullTuningSettings,
    identity: str,
    machine: dict[str, Any],
    result: FullyTuned,
) -> None:
    """What repeats the run: with `settings.steps` set to `steps`, on the same number of threads."""
    record = {
        "kind": "full tuning",
        "format": 1,
        "base": base.name,
        "base_sha256": base.digest,
        "input": identity,
        "settings": asdict(settings),
        **machine,
        "steps": result.steps,
        "seconds": result.seconds,
        "seed": result.seed,
        "questions": result.questions,
        "stopped": result.stopped,
        "losses": [round(loss, 5) for loss in result.losses],
        "development": {
            "base": None if math.isnan(result.base_score) else result.base_score,
            "candidates": list(result.scores),
        },
        "candidates": {f"{candidate.share:g}": candidate.weights.digest for candidate in result.candidates},
    }
    path.write_text(json.dumps(record, indent=1), encoding="utf-8")
