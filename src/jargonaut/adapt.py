"""The whole adaptation, readable top to bottom: structure -> questions -> tuned encoder -> ranking -> proof -> gate.

Nothing that is chosen here sees the questions that judge it: documents are split into those for training, those for
choosing and those for judging; and the judging questions are used once.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from jargonaut.answering.loaded_release import LoadedRelease
from jargonaut.core.errors import InputError
from jargonaut.core.progress import Progress
from jargonaut.core.proof import Proof
from jargonaut.core.release import EncoderRef, Fusion, Recipe, Release, Revision
from jargonaut.core.scope import LIVE, Scope
from jargonaut.deciding import Adaptation, decided, look_at
from jargonaut.fitting import Corpus, RankingParts, RankingPlan, ranking_parts
from jargonaut.index.port import Snapshot, Visibility
from jargonaut.options import LiveRelease, Option
from jargonaut.proof.answers import judge_answers
from jargonaut.proof.calibrate import calibrated_threshold
from jargonaut.proof.gate import FEWEST_QUERIES, Contest, Gate, decide
from jargonaut.proof.judge import (
    Judgement,
    JudgingQuery,
    RankedChunks,
    Trial,
    groups_of,
    judge,
    opinion,
    parts_of,
    score_rows,
    summed_rows,
)
from jargonaut.proof.lineage import checked_lineage
from jargonaut.proof.looks import Look, mark
from jargonaut.proof.metrics import Values
from jargonaut.proof.outcomes import with_first_sections
from jargonaut.proof.questions import HeldOut
from jargonaut.proof.retrieval import (
    DENSE_ONLY,
    LEXICAL_ONLY,
    Pool,
    development_queries,
    rank_fusions,
    rankings,
    retrieve_pools,
)
from jargonaut.proof.spans import MEASURE, Lengths, SpanQuestion, shares_found
from jargonaut.ranking.fit import FusionChoice, fit_fusion
from jargonaut.ranking.late_interaction import LateInteraction
from jargonaut.ranking.whitening import Whitening
from jargonaut.releases.channels import Promotion, promote
from jargonaut.releases.registry import Registry
from jargonaut.state.knowledge_base import Follower
from jargonaut.state.port import Journal
from jargonaut.storage.port import Storage

_DEADLINE_S = 120.0


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
    ranking: Callable[[Option], RankingPlan]
    """How the ranking of an option is fitted."""
    force: bool = False
    discard: Callable[[str], None] | None = None
    """Removes a table: documents that were encoded anew for nothing."""


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
    pools = await _pools(plan, live.as_option, queries, live.late)
    trial = _trial(plan, changed, ("changed", "live"))
    proof = await judge_answers(live.reader, pools, queries, live.whitening, (live.recipe, changed), trial)
    progress("judge", 1, 1)
    return decided(plan, changed, live.revision, Judgement(proof, ()))


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
    lineage = _lineage(plan.registry, plan.held_out, plan.candidate.recipe)
    proving = (plan.candidate.recipe.id, plan.live.recipe.id, plan.candidate.revision.id)
    look = look_at(plan, [question.query for question in plan.judged_on], proving)
    marks = set(look.marks)
    questions = [question for question in plan.judged_on if mark(question.query) in marks]
    progress("judge", 0, 2)
    before = await _shares(plan, plan.live, questions)
    progress("judge", 1, 2)
    after = await _shares(plan, plan.candidate, questions)
    progress("judge", 2, 2)
    queries = [question.query for question in questions]
    contest = Contest(
        "live chunks",
        "new chunks",
        before,
        after,
        [query.group for query in queries],
        measure=MEASURE,
        parts=parts_of(queries),
    )
    decision = decide(contest, dataclasses.replace(plan.gate, level=look.level))
    proof = Proof(
        candidate=plan.candidate.recipe.id,
        baseline=plan.live.recipe.id,
        revision=plan.candidate.revision.id,
        query_source=plan.held_out.source,
        queries_chosen_on=0,
        queries_judged_on=len(questions),
        documents_held_out=plan.held_out.documents,
        level=look.level,
        resolves=decision.resolves,
        rows=(),
        comparison=decision.comparison,
        verdict=decision.verdict,
        reason=decision.reason,
        lineage={
            **plan.held_out.lineage,
            **lineage,
            "live chunker": plan.live.recipe.chunker,
            "chunker": plan.candidate.recipe.chunker,
        },
        family_level=look.family_level,
        look=look.number,
        parts=decision.parts,
    )
    return decided(plan, plan.candidate.recipe, plan.candidate.revision, Judgement(proof, ()), look)


async def _shares(plan: ChunkerPlan, release: LoadedRelease, questions: Sequence[SpanQuestion]) -> Values:
    fusion = release.recipe.fusion
    queries = [question.query for question in questions]
    pools = await retrieve_pools(release.reader, release.query_encoder, queries, plan.seen, fusion.pool, release.late)
    ranked = rankings(pools, fusion, release.whitening)
    return await shares_found(release.reader, ranked, questions, plan.lengths)


def _trial(plan: AdaptationPlan, candidate: Recipe, rows: tuple[str, str], look: Look | None = None) -> Trial:
    """What is tried, by the names of the candidate's and the baseline's rows."""
    return Trial(
        candidate=candidate.id,
        baseline=plan.live.recipe.id,
        revision=plan.live.revision.id,
        candidate_row=rows[0],
        baseline_row=rows[1],
        query_source=plan.held_out.source,
        queries_chosen_on=len(plan.held_out.chosen_on),
        documents_held_out=plan.held_out.documents,
        lineage={**plan.held_out.lineage, **_lineage(plan.registry, plan.held_out, candidate)},
        gate=dataclasses.replace(plan.gate, level=look.level) if look else plan.gate,
        family_level=look.family_level if look else plan.gate.level,
        look=look.number if look else 1,
        set_aside=look.set_aside if look else 0,
    )


def _lineage(registry: Registry, held_out: HeldOut, candidate: Recipe) -> dict[str, str]:
    """What the record says of the training of the candidate's encoders.

    Raises:
        RefusedError: One of them was trained on what it would be judged on.
    """
    if candidate.encoder is None:
        return {}
    names = {"document encoder": candidate.encoder.document, "query encoder": candidate.encoder.query}
    read = {what: registry.lineage(name) for what, name in names.items()}
    return checked_lineage(read, [*held_out.chosen_on, *held_out.judged_on], held_out.texts)


async def _adapt(plan: AdaptationPlan, tuned: Sequence[Option], progress: Progress) -> Adaptation:
    progress("choose", 0, 1)
    choice = await _chosen(plan, tuned, progress)
    progress("choose", 1, 1)
    recipe = await _recipe(plan, choice)
    look = _look(plan, recipe, choice.option.revision)
    trial = _trial(plan, recipe, ("fused tuned", "fused base"), look)
    progress("judge", 0, 1)
    judgement = await _judged(plan, choice, recipe, (trial, look.questions if look else None))
    progress("judge", 1, 1)
    adaptation = decided(plan, recipe, choice.option.revision, judgement, look)
    kept = {plan.live.revision.table, *([choice.option.revision.table] if adaptation.promoted else [])}
    for table in {option.revision.table for option in tuned} - kept:
        if plan.discard:
            plan.discard(table)
    return adaptation


def _look(plan: AdaptationPlan, recipe: Recipe, revision: Revision) -> Look | None:
    """The look that the proof of this recipe is; none where it cannot pass: it ranks as the live one, or few ask."""
    live = plan.live.recipe
    ranks_alike = (recipe.encoder, recipe.fusion) == (live.encoder, live.fusion)
    if ranks_alike or len(plan.held_out.judged_on) < FEWEST_QUERIES:
        return None
    return look_at(plan, plan.held_out.judged_on, (recipe.id, live.id, revision.id))


@dataclass(frozen=True, slots=True)
class _Choice:
    option: Option
    fusion: FusionChoice
    parts: RankingParts

    @property
    def whitening(self) -> Whitening | None:
        return self.parts.whitening if self.fusion.whitened else None


async def _chosen(plan: AdaptationPlan, tuned: Sequence[Option], progress: Progress) -> _Choice:
    """The option and weights with the best nDCG@10 on the choosing half; ties go to the encoder as it came."""
    queries, choices = plan.held_out.chosen_on, []
    parts: dict[str, RankingParts] = {}
    for option in (plan.live.as_option, *tuned):
        table = option.revision.table
        if table not in parts:
            parts[table] = await ranking_parts(plan.ranking(option), _corpus(plan, option), plan.seed, progress)
        own = parts[table]
        pools = await _pools(plan, option, queries, own.late)
        how = (own.whitening, own.agreed.lexical_weight, plan.live.recipe.fusion.pool, own.late is not None)
        choices.append(_Choice(option, fit_fusion(development_queries(pools, queries), *how), own))
    return max(choices, key=lambda choice: choice.fusion.ndcg)


def _corpus(plan: AdaptationPlan, option: Option) -> Corpus:
    """What the ranking of an option is fitted on."""
    snapshot = Snapshot(option.revision.table, option.revision.table_version)
    return Corpus(option.reader, snapshot, option.query_encoder, plan.live.seen, plan.live.recipe.fusion.pool)


async def _pools(
    plan: AdaptationPlan, option: Option, queries: Sequence[JudgingQuery], late: LateInteraction | None
) -> list[Pool]:
    live = plan.live
    return await retrieve_pools(option.reader, option.query_encoder, queries, live.seen, live.recipe.fusion.pool, late)


async def _recipe(plan: AdaptationPlan, choice: _Choice) -> Recipe:
    """The candidate: the live recipe with other encoders and ranking, and its own threshold."""
    live, option = plan.live.recipe, choice.option
    used, late = choice.whitening, choice.parts.late
    fusion = Fusion(choice.fusion.lexical_weight, used.digest if used else "", live.fusion.pool)
    if late and choice.fusion.late_weight:
        fusion = dataclasses.replace(fusion, tokens=late.projection.digest, late_weight=choice.fusion.late_weight)
    is_tuned = option.query_encoder.card.id != plan.live.query_encoder.card.id
    if used:
        plan.storage.put_if_absent(f"whitenings/{used.digest}.safetensors", used.to_bytes())
    threshold = live.similarity_threshold
    if not live.threshold_is_set:
        on, asked = (option.reader, option.query_encoder), (plan.held_out.chosen_on, plan.live.languages)
        threshold = await calibrated_threshold(*on, *asked, (fusion, used), live.most_passages, late)
    return dataclasses.replace(
        live,
        encoder=EncoderRef(option.document_encoder, option.query_encoder.card.id, option.revision.space),
        fusion=fusion,
        similarity_threshold=threshold,
        label="tuned" if is_tuned else "fitted",
    )


async def _judged(
    plan: AdaptationPlan,
    choice: _Choice,
    recipe: Recipe,
    how: tuple[Trial, Sequence[JudgingQuery] | None],
) -> Judgement:
    trial, deciding = how
    queries, held_out = deciding or plan.held_out.judged_on, plan.held_out

    async def rows(asked: Sequence[JudgingQuery]) -> dict[str, list[RankedChunks]]:
        return await _rows(plan, choice, recipe, asked)

    judgement = judge(await rows(queries), queries, trial)
    seen = (
        summed_rows(score_rows(await rows(held_out.seen), held_out.seen), groups_of(held_out.seen))
        if (held_out.seen)
        else ()
    )
    opinions = [opinion(await rows(other.queries), other.queries, trial, other.source) for other in held_out.others]
    proof = dataclasses.replace(
        judgement.proof, seen_rows=seen, queries_seen=len(held_out.seen), opinions=tuple(opinions)
    )
    return Judgement(proof, await with_first_sections(plan.live.reader, judgement.outcomes))


async def _rows(
    plan: AdaptationPlan,
    choice: _Choice,
    recipe: Recipe,
    queries: Sequence[JudgingQuery],
) -> dict[str, list[RankedChunks]]:
    """Every ranking of the same questions."""
    live, option = plan.live, choice.option
    late = choice.parts.late
    is_beside = option.revision.table != live.revision.table
    base = await _pools(plan, live.as_option, queries, live.late if is_beside else late or live.late)
    is_tuned = option.query_encoder.card.id != live.query_encoder.card.id
    tuned = await _pools(plan, option, queries, late) if is_tuned else base
    return {
        "bm25": rankings(base, LEXICAL_ONLY, None),
        "base": rankings(base, DENSE_ONLY, None),
        "tuned": rankings(tuned, DENSE_ONLY, None),
        "plain rrf": rank_fusions(base, live.recipe.fusion.pool),
        "fused base": rankings(base, live.recipe.fusion, live.whitening),
        "fused tuned": rankings(tuned, recipe.fusion, choice.whitening),
    }


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
