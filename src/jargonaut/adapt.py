"""The whole adaptation, readable top to bottom: structure -> questions -> tuned encoder -> ranking -> proof -> gate.

Nothing that is chosen here sees the questions that judge it: documents are split into those for training, those for
choosing and those for judging; and the judging questions are used once.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from jargonaut.answering.loaded_release import LoadedRelease
from jargonaut.core.deadline import Deadline
from jargonaut.core.errors import ConflictError, InputError
from jargonaut.core.progress import Progress
from jargonaut.core.proof import Proof
from jargonaut.core.release import EncoderRef, Fusion, Recipe, Release, Revision
from jargonaut.core.scope import LIVE, Scope
from jargonaut.encoding.port import Encoder
from jargonaut.index.port import IndexReader, Visibility
from jargonaut.proof.answers import judge_answers
from jargonaut.proof.calibrate import calibrated_threshold
from jargonaut.proof.gate import Contest, Gate, decide
from jargonaut.proof.judge import Judgement, JudgingQuery, RankedChunks, Trial, judge
from jargonaut.proof.metrics import Values
from jargonaut.proof.questions import HeldOut
from jargonaut.proof.report import render_report
from jargonaut.proof.retrieval import DENSE_ONLY, LEXICAL_ONLY, Pool, development_queries, rankings, retrieve_pools
from jargonaut.proof.spans import MEASURE, Lengths, SpanQuestion, shares_found
from jargonaut.ranking.fit import FusionChoice, fit_fusion
from jargonaut.ranking.whitening import SAMPLE_ROWS, Whitening, fit_whitening
from jargonaut.releases.channels import Promotion, promote
from jargonaut.releases.registry import Registry
from jargonaut.state.knowledge_base import Follower, record
from jargonaut.state.port import Journal
from jargonaut.storage.port import Storage

_DEADLINE_S = 120.0
_RETRIES = 20


@dataclass(frozen=True, slots=True)
class LiveRelease:
    """What is live, opened."""

    release: Release
    recipe: Recipe
    revision: Revision
    reader: IndexReader
    query_encoder: Encoder
    whitening: Whitening | None
    languages: Mapping[str, int]
    seen: Visibility
    """All that is not deleted."""


@dataclass(frozen=True, slots=True)
class Option:
    """An encoder of questions over an index of the live documents: what is live, or what may take its place."""

    query_encoder: Encoder
    document_encoder: str
    """Id of what encoded the documents."""
    reader: IndexReader
    revision: Revision
    """The live one; another where the documents were encoded anew. Its chunks have the same ids."""


@dataclass(frozen=True, slots=True)
class AdaptationPlan:
    """Ready objects for one adaptation."""

    scope: Scope
    storage: Storage
    registry: Registry
    journal: Journal
    live: LiveRelease
    held_out: HeldOut
    tune: Callable[[Progress], Sequence[Option]] | None
    """Trains, exports and, where documents are encoded anew, indexes; None where nothing can be trained."""
    gate: Gate
    seed: int
    force: bool = False
    discard: Callable[[str], None] | None = None
    """Removes a table: documents that were encoded anew for nothing."""

    @property
    def as_it_is(self) -> Option:
        """What is live."""
        live = self.live
        assert live.recipe.encoder is not None
        return Option(live.query_encoder, live.recipe.encoder.document, live.reader, live.revision)


@dataclass(frozen=True, slots=True)
class Adaptation:
    """What came of it."""

    proof: Proof
    report_key: str
    """Key of the HTML report in the storage."""
    candidate: Recipe
    release: Release
    promoted: bool
    forced: bool


def adapt(plan: AdaptationPlan, progress: Progress) -> Adaptation:
    """Tune, choose, prove, and let the gate decide.

    Raises:
        InputError: There are too few questions to choose or judge on.
        UnavailableError: The index cannot be searched. What was live is live still.
    """
    if not plan.held_out.chosen_on or not plan.held_out.judged_on:
        raise InputError(
            "There are not enough questions to prove anything on.",
            "The documents have too few headings and cross-references: add labelled questions ([tuning] labels).",
        )
    tuned = list(plan.tune(progress)) if plan.tune else []
    return asyncio.run(_adapt(plan, tuned, progress))


def prove_change(plan: AdaptationPlan, changed: Recipe, progress: Progress) -> Adaptation:
    """Let the gate decide on a recipe that retrieves like the live one, but answers differently.

    Raises:
        InputError: There are no questions to judge on.
        UnavailableError: The index cannot be searched.
    """
    if not plan.held_out.judged_on:
        raise InputError("There is no question to judge on.", "Add labelled questions ([tuning] labels).")
    return asyncio.run(_prove_change(plan, changed, progress))


async def _prove_change(plan: AdaptationPlan, changed: Recipe, progress: Progress) -> Adaptation:
    live, queries = plan.live, plan.held_out.judged_on
    progress("judge", 0, 1)
    pools = await _pools(plan, plan.as_it_is, queries)
    trial = _trial(plan, changed, "changed", "live")
    proof = await judge_answers(live.reader, pools, queries, live.whitening, (live.recipe, changed), trial)
    progress("judge", 1, 1)
    return _decided(plan, changed, live.revision, Judgement(proof, ()))


@dataclass(frozen=True, slots=True)
class ChunkerPlan:
    """Ready objects for the proof of a release that differs from the live one in how its documents are cut."""

    scope: Scope
    storage: Storage
    registry: Registry
    journal: Journal
    live: LoadedRelease
    candidate: LoadedRelease
    seen: Visibility
    """All that is not deleted."""
    held_out: HeldOut
    judged_on: Sequence[SpanQuestion]
    """Its judging questions, by the text that answers them."""
    lengths: Lengths
    gate: Gate
    force: bool = False


def prove_chunker(plan: ChunkerPlan, progress: Progress) -> Adaptation:
    """Let the gate decide on documents that are cut otherwise: on what is read of the right text, not on ranks.

    Raises:
        InputError: There are no questions to judge on.
        UnavailableError: An index cannot be searched.
    """
    if not plan.judged_on:
        raise InputError("There is no question to judge on.", "Add labelled questions ([tuning] labels).")
    return asyncio.run(_prove_chunker(plan, progress))


async def _prove_chunker(plan: ChunkerPlan, progress: Progress) -> Adaptation:
    progress("judge", 0, 2)
    before = await _shares(plan, plan.live)
    progress("judge", 1, 2)
    after = await _shares(plan, plan.candidate)
    progress("judge", 2, 2)
    documents = [question.query.document_id for question in plan.judged_on]
    decision = decide(Contest("live chunks", "new chunks", before, after, documents, measure=MEASURE), plan.gate)
    proof = Proof(
        candidate=plan.candidate.recipe.id,
        baseline=plan.live.recipe.id,
        revision=plan.candidate.revision.id,
        query_source=plan.held_out.source,
        queries_chosen_on=0,
        queries_judged_on=len(plan.judged_on),
        documents_held_out=plan.held_out.documents,
        level=plan.gate.level,
        resolves=decision.resolves,
        rows=(),
        comparison=decision.comparison,
        verdict=decision.verdict,
        reason=decision.reason,
        lineage={
            **plan.held_out.lineage,
            "live chunker": plan.live.recipe.chunker,
            "chunker": plan.candidate.recipe.chunker,
        },
    )
    return _decided(plan, plan.candidate.recipe, plan.candidate.revision, Judgement(proof, ()))


async def _shares(plan: ChunkerPlan, release: LoadedRelease) -> Values:
    fusion = release.recipe.fusion
    queries = [question.query for question in plan.judged_on]
    pools = await retrieve_pools(release.reader, release.query_encoder, queries, plan.seen, fusion.pool)
    ranked = rankings(pools, fusion, release.whitening)
    return await shares_found(release.reader, ranked, plan.judged_on, plan.lengths)


def _trial(plan: AdaptationPlan, candidate: Recipe, candidate_row: str, baseline_row: str) -> Trial:
    return Trial(
        candidate=candidate.id,
        baseline=plan.live.recipe.id,
        revision=plan.live.revision.id,
        candidate_row=candidate_row,
        baseline_row=baseline_row,
        query_source=plan.held_out.source,
        queries_chosen_on=len(plan.held_out.chosen_on),
        documents_held_out=plan.held_out.documents,
        lineage=plan.held_out.lineage,
        gate=plan.gate,
    )


async def _adapt(plan: AdaptationPlan, tuned: Sequence[Option], progress: Progress) -> Adaptation:
    progress("choose", 0, 1)
    choice = await _chosen(plan, tuned)
    progress("choose", 1, 1)
    recipe = await _recipe(plan, choice)
    progress("judge", 0, 1)
    judgement = await _judged(plan, choice, recipe)
    progress("judge", 1, 1)
    adaptation = _decided(plan, recipe, choice.option.revision, judgement)
    kept = {plan.live.revision.table, *([choice.option.revision.table] if adaptation.promoted else [])}
    for table in {option.revision.table for option in tuned} - kept:
        if plan.discard:
            plan.discard(table)
    return adaptation


async def _whitening(plan: AdaptationPlan, reader: IndexReader) -> Whitening | None:
    _, vectors = await reader.vectors(SAMPLE_ROWS, Deadline.after(_DEADLINE_S))
    if len(vectors) < 2 or float(np.ptp(vectors, axis=0).max()) == 0:
        return None
    return fit_whitening([vectors], seed=plan.seed)


@dataclass(frozen=True, slots=True)
class _Choice:
    option: Option
    fusion: FusionChoice
    whitening: Whitening | None


async def _chosen(plan: AdaptationPlan, tuned: Sequence[Option]) -> _Choice:
    """The option and weights with the best nDCG@10 on the choosing half; ties go to the encoder as it came."""
    queries, choices = plan.held_out.chosen_on, []
    whitenings: dict[str, Whitening | None] = {}
    for option in (plan.as_it_is, *tuned):
        table = option.revision.table
        if table not in whitenings:
            whitenings[table] = await _whitening(plan, option.reader)
        whitening = whitenings[table]
        pools = await _pools(plan, option, queries)
        fitted = fit_fusion(development_queries(pools, queries), whitening, pool=plan.live.recipe.fusion.pool)
        choices.append(_Choice(option, fitted, whitening))
    return max(choices, key=lambda choice: choice.fusion.ndcg)


async def _pools(plan: AdaptationPlan, option: Option, queries: Sequence[JudgingQuery]) -> list[Pool]:
    live = plan.live
    return await retrieve_pools(option.reader, option.query_encoder, queries, live.seen, live.recipe.fusion.pool)


async def _recipe(plan: AdaptationPlan, choice: _Choice) -> Recipe:
    """The candidate: the live recipe with other encoders and ranking, and its own threshold."""
    live, option = plan.live.recipe, choice.option
    used = choice.whitening if choice.fusion.whitened else None
    fusion = Fusion(choice.fusion.lexical_weight, used.digest if used else "", live.fusion.pool)
    is_tuned = option.query_encoder.card.id != plan.live.query_encoder.card.id
    if used:
        plan.storage.put_if_absent(f"whitenings/{used.digest}.safetensors", used.to_bytes())
    threshold = await calibrated_threshold(
        option.reader, option.query_encoder, plan.held_out.chosen_on, plan.live.languages, (fusion, used), live.top_k
    )
    return dataclasses.replace(
        live,
        encoder=EncoderRef(option.document_encoder, option.query_encoder.card.id, option.revision.space),
        fusion=fusion,
        similarity_threshold=threshold,
        label="tuned" if is_tuned else "fitted",
    )


async def _judged(plan: AdaptationPlan, choice: _Choice, recipe: Recipe) -> Judgement:
    queries, live = plan.held_out.judged_on, plan.live
    base = await _pools(plan, plan.as_it_is, queries)
    tuned = await _pools(plan, choice.option, queries)
    used = choice.whitening if recipe.fusion.whitening else None
    rows: dict[str, list[RankedChunks]] = {
        "bm25": rankings(base, LEXICAL_ONLY, None),
        "base": rankings(base, DENSE_ONLY, None),
        "tuned": rankings(tuned, DENSE_ONLY, None),
        "fused base": rankings(base, live.recipe.fusion, live.whitening),
        "fused tuned": rankings(tuned, recipe.fusion, used),
    }
    trial = _trial(plan, recipe, "fused tuned", "fused base")
    return judge(rows, queries, trial)


def _decided(
    plan: AdaptationPlan | ChunkerPlan, recipe: Recipe, revision: Revision, judgement: Judgement
) -> Adaptation:
    registry, proof = plan.registry, judgement.proof
    release = Release(registry.put(recipe), registry.put(revision))
    registry.put(release)
    proof_id = registry.put_proof(proof)
    report_key = f"proofs/{proof_id}.html"
    plan.storage.put_if_absent(report_key, render_report(proof, judgement.outcomes).encode())
    record(plan.journal, plan.scope, "proved", {"recipe": recipe.id, "proof": proof_id, "verdict": proof.verdict})
    promoted = proof.promotes or plan.force
    if promoted:
        release = _gone_live(plan, recipe, revision, proof)
    return Adaptation(proof, report_key, recipe, release, promoted, promoted and not proof.promotes)


def _gone_live(plan: AdaptationPlan | ChunkerPlan, recipe: Recipe, revision: Revision, proof: Proof) -> Release:
    """The release that was promoted: with the documents as they are now, if they changed during the proof.

    Raises:
        ConflictError: Another recipe is live than the one that this was proven against.
    """
    registry, forced = plan.registry, not proof.promotes
    follower = Follower(plan.journal, plan.scope)
    for _ in range(_RETRIES):
        live = follower.current().channels[LIVE]
        if live.recipe != proof.baseline:
            break
        latest = registry.revision(live.revision)
        release = Release(recipe.id, registry.put(latest if latest.table == revision.table else revision))
        registry.put(release)
        reason = "forced" if forced else "proven"
        promotion = Promotion(LIVE, release.id, proof.verdict, proof.id, reason, forced, live.sequence)
        try:
            promote(plan.journal, registry, plan.scope, promotion)
        except ConflictError:
            continue  # a build published meanwhile
        return release
    raise ConflictError(
        "Another recipe went live while this one was being proven, and it was not proven against that one.",
        "Prove again: `jargonaut prove`.",
    )


def force_change(journal: Journal, registry: Registry, scope: Scope, changed: Recipe) -> Release:
    """Let the live release answer by `changed` without a proof; that is recorded.

    Raises:
        ConflictError: What is live was switched meanwhile.
    """
    live = Follower(journal, scope).current().channels[LIVE]
    release = Release(registry.put(changed), live.revision)
    registry.put(release)
    promote(journal, registry, scope, Promotion(LIVE, release.id, "unproven", "", "forced", True, live.sequence))
    return release
