"""Recipes that are useless or spoiled, on real sets: 100 of them, each of a kind that somebody has shipped.

Most are made by spoiling vectors; those of the kinds in `TRAINED` are really trained. What they are compared with is a
good live recipe: the base encoder, fused with words by the weight that is best on the training questions.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from benchmarks.retrieval_sets import CACHE, POOL, RetrievalSet, Vectors, document_vectors, encoder_of, pools
from jargonaut.core.errors import RefusedError
from jargonaut.core.lineage import lineage_of, text_mark
from jargonaut.core.progress import silent
from jargonaut.core.proof import Comparison
from jargonaut.core.release import Fusion
from jargonaut.core.sentences import split_sentences
from jargonaut.encoding.weights_folder import BaseWeights
from jargonaut.proof.gate import Contest, Gate, decide
from jargonaut.proof.judge import JudgingQuery, RankedChunks, groups_of, score_rows, split_halves
from jargonaut.proof.lineage import checked_lineage
from jargonaut.proof.retrieval import Pool, rank_fusions, rankings
from jargonaut.ranking.fit import WEIGHTS
from jargonaut.training.query_side import TuningSet, TuningSettings, tune_query_encoder

STEPS = 40
"""Of each training: enough to spoil an encoder, and to learn some hundred leaked answers by heart."""
TRAINED = ("shuffled pairs", "learning rate a hundred times too high", "inverse cloze", "leaked test documents")

Rankings = list[RankedChunks]
Asked = Sequence[JudgingQuery]


@dataclass(frozen=True)
class Verdict:
    """What the gate said of one recipe."""

    of: str
    kind: str
    verdict: str
    comparison: Comparison | None
    trained: bool = False

    @property
    def promoted(self) -> bool:
        return self.verdict == "better"


class Bench:
    """One set, its live recipe, and everything that is tried against it."""

    def __init__(self, of: RetrievalSet, base: BaseWeights, level: float) -> None:
        self._set = of
        self._base = base
        self._level = level
        self._encoder = encoder_of(base, CACHE / "encoders")
        self._documents = document_vectors(of, self._encoder)
        halves = split_halves(of.queries(of.unseen), seed=1)
        self._chosen_on, self.judged_on = halves.chosen_on, halves.judged_on

    @cached_property
    def weight(self) -> float:
        """Of words, in the live recipe: the best on the training questions."""
        asked = self._set.queries(self._set.training)
        found = self._pools(asked, self._vectors(asked))
        means = [float(score_rows({"r": rankings(found, Fusion(weight), None)}, asked)["r"].ndcg_at_10.mean())
                 for weight in WEIGHTS]  # fmt: skip
        return WEIGHTS[int(np.argmax(means))]

    @cached_property
    def live(self) -> Rankings:
        return self._ranked(self.judged_on, self._vectors(self.judged_on))

    def noisy(self) -> Rankings:
        """Another ranking, a little worse."""
        return self._by_vectors(_noisy(0.2, 99))(self.judged_on)

    def verdicts(self, trained: bool) -> Iterator[Verdict]:
        """All recipes of this set."""
        for kind, rank in self._spoiled():
            yield self._verdict(kind, rank(self.judged_on))
        yield self._verdict("the best of 30 noisy encoders on the choosing half", self._best_of_noise())
        if trained:
            for kind in TRAINED:
                yield self._trained(kind)

    def _spoiled(self) -> Iterator[tuple[str, Callable[[Asked], Rankings]]]:
        width = self._documents.shape[1]
        for size, seed in ((0.1, 1), (0.1, 2), (0.3, 3), (0.6, 4)):
            yield f"noise of {size:g} on the query encoder ({seed})", self._by_vectors(_noisy(size, seed))
        yield "noise of .3 on the document encoder", self._by_documents(_noisy(0.3, 5))
        yield "the same space under another name", self._by_both(_rotation(width, 6, 1.0))
        yield "a space rotated for questions only", self._by_vectors(_rotated(_rotation(width, 7, 1.0)))
        yield "a space rotated a little for questions only", self._by_vectors(_rotated(_rotation(width, 8, 0.02)))
        yield "vectors cut to 1 bit a dimension", self._by_both_with(np.sign)
        yield "vectors cut to their first 48 dimensions", self._by_both_with(lambda vectors: vectors[:, :48])
        yield (
            "questions centred on the mean of the documents",
            self._by_vectors(lambda vectors: vectors - 1.5 * self._documents.mean(axis=0)),
        )
        yield "wrong pooling", self._by_pooling
        yield (
            "a prompt that the encoder was not trained with",
            self._by_text(lambda text: "Instruct: retrieve any web page of the kind below. Query: " + text),
        )
        yield "questions cut to three words", self._by_text(lambda text: " ".join(text.split()[:3]) or text[:6])
        for wrong in (0.0, 1.0):
            if abs(wrong - self.weight) > 0.25:
                yield f"a weight of {wrong:g} for words", self._by_weight(wrong)
        yield "plain reciprocal rank fusion", lambda asked: rank_fusions(self._pools(asked, self._vectors(asked)), POOL)

    def _vectors(self, asked: Asked) -> Vectors:
        return self._encoder.encode_queries([query.text for query in asked])

    def _pools(self, asked: Asked, vectors: Vectors, documents: Vectors | None = None) -> list[Pool]:
        held = self._documents if documents is None else documents
        return pools(self._set, held, [query.text for query in asked], _unit(vectors))

    def _ranked(self, asked: Asked, vectors: Vectors, documents: Vectors | None = None, weight: float = -1) -> Rankings:
        found = self._pools(asked, vectors, documents)
        return rankings(found, Fusion(self.weight if weight < 0 else weight), None)

    def _by_vectors(self, change: Callable[[Vectors], Vectors]) -> Callable[[Asked], Rankings]:
        return lambda asked: self._ranked(asked, change(self._vectors(asked)))

    def _by_documents(self, change: Callable[[Vectors], Vectors]) -> Callable[[Asked], Rankings]:
        return lambda asked: self._ranked(asked, self._vectors(asked), _unit(change(self._documents)))

    def _by_both(self, rotation: Vectors) -> Callable[[Asked], Rankings]:
        return self._by_both_with(lambda vectors: vectors @ rotation)

    def _by_both_with(self, change: Callable[[Vectors], Vectors]) -> Callable[[Asked], Rankings]:
        return lambda asked: self._ranked(asked, change(self._vectors(asked)), _unit(change(self._documents)))

    def _by_text(self, change: Callable[[str], str]) -> Callable[[Asked], Rankings]:
        return lambda asked: self._ranked(asked, self._encoder.encode_queries([change(q.text) for q in asked]))

    def _by_weight(self, weight: float) -> Callable[[Asked], Rankings]:
        return lambda asked: self._ranked(asked, self._vectors(asked), weight=weight)

    def _by_pooling(self, asked: Asked) -> Rankings:
        other = "cls" if self._base.pooling == "mean" else "mean"
        encoder = encoder_of(dataclasses.replace(self._base, pooling=other), CACHE / "encoders")
        return self._ranked(asked, encoder.encode_queries([query.text for query in asked]))

    def _best_of_noise(self) -> Rankings:
        """As a search over settings does: the winner among thirty is the luckiest."""
        changes = [_noisy(0.15, 100 + seed) for seed in range(30)]
        asked = self._vectors(self._chosen_on)
        means = [
            score_rows({"r": self._ranked(self._chosen_on, change(asked))}, self._chosen_on)["r"].ndcg_at_10.mean()
            for change in changes
        ]
        return self._by_vectors(changes[int(np.argmax(means))])(self.judged_on)

    def _trained(self, kind: str) -> Verdict:
        examples, learned = self._examples(kind)
        rate = 3e-3 if kind == TRAINED[1] else 3e-5 if kind != TRAINED[3] else 1e-4
        settings = TuningSettings(steps=STEPS, learning_rate=rate, shares=(1.0,))
        work = CACHE / "work" / f"{self._set.name}-{TRAINED.index(kind)}"
        try:
            tuned = tune_query_encoder(self._base, examples, settings, work, silent).candidates[0].weights
        except RefusedError:
            return Verdict(self._set.name, kind, "refused", None, trained=True)
        encoder = encoder_of(tuned, CACHE / "encoders")
        ranked = self._ranked(self.judged_on, encoder.encode_queries([query.text for query in self.judged_on]))
        found = self._verdict(kind, ranked, trained=True)
        held_out = {name for query in (*self._chosen_on, *self.judged_on) for name in query.document_ids}
        texts = {name: text_mark(self._set.texts[self._set.row_of[name]]) for name in held_out}
        try:
            checked_lineage({"query encoder": learned}, [*self._chosen_on, *self.judged_on], texts)
        except RefusedError:
            return dataclasses.replace(found, verdict=f"refused; without lineage: {found.verdict}")
        return found

    def _examples(self, kind: str) -> tuple[TuningSet, object]:
        """What it learns from, and the lineage of that."""
        held_out = {name for query in (*self._chosen_on, *self.judged_on) for name in query.document_ids}
        allowed = [row for row, name in enumerate(self._set.ids) if kind == TRAINED[3] or name not in held_out]
        at = {self._set.ids[row]: number for number, row in enumerate(allowed)}
        rng = np.random.default_rng(11)
        if kind == "inverse cloze":
            rows = rng.permutation(len(allowed))[:600]
            pairs = [(_sentence(self._set.texts[allowed[row]], rng), np.array([row])) for row in rows]
        else:
            judged = self._set.unseen if kind == TRAINED[3] else self._set.training
            wanted = {text: [at[name] for name in grades if name in at] for text, grades in judged.items()}
            pairs = [(text, np.array(rows)) for text, rows in wanted.items() if rows]
        if kind == "shuffled pairs":
            order = rng.permutation(len(pairs))
            pairs = [(text, pairs[other][1]) for (text, _), other in zip(pairs, order, strict=True)]
        examples = TuningSet(
            questions=tuple(text for text, _ in pairs),
            chunks=np.ascontiguousarray(self._documents[allowed]),
            relevant=tuple(rows for _, rows in pairs),
            ignored=tuple(np.array([], np.intp) for _ in pairs),
        )
        return examples, lineage_of((self._set.texts[row] for row in allowed), (text for text, _ in pairs))

    @cached_property
    def _live_scores(self) -> np.ndarray:
        return score_rows({"live": self.live}, self.judged_on)["live"].ndcg_at_10

    def _verdict(self, kind: str, ranked: Rankings, trained: bool = False) -> Verdict:
        after = score_rows({"candidate": ranked}, self.judged_on)["candidate"].ndcg_at_10
        contest = Contest("live", "candidate", self._live_scores, after, groups_of(self.judged_on))
        decision = decide(contest, Gate(level=self._level))
        return Verdict(self._set.name, kind, decision.verdict, decision.comparison, trained)


def _unit(vectors: Vectors) -> Vectors:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def _noisy(size: float, seed: int) -> Callable[[Vectors], Vectors]:
    """As noise on the weights does: another direction for each text, of a share of its length."""

    def change(vectors: Vectors) -> Vectors:
        noise = np.random.default_rng(seed).normal(0, vectors.shape[1] ** -0.5, vectors.shape)
        return (vectors + size * noise).astype(np.float32)

    return change


def _rotated(rotation: Vectors) -> Callable[[Vectors], Vectors]:
    return lambda vectors: vectors @ rotation


def _rotation(width: int, seed: int, size: float) -> Vectors:
    """A rotation, near the identity for a small size."""
    drawn = np.random.default_rng(seed).normal(0, 1, (width, width))
    skew = size * (drawn - drawn.T) / 2
    rotation, _ = np.linalg.qr(np.eye(width) + skew)
    return (rotation * np.sign(np.diag(rotation))).astype(np.float32)


def _sentence(text: str, rng: np.random.Generator) -> str:
    spans = split_sentences(text) or [(0, len(text))]
    start, end = spans[int(rng.integers(len(spans)))]
    return text[start:end][:300] or text[:60]


def sets_folder() -> Path:
    return Path(__file__).resolve().parents[2] / "shared" / "datasets"
