"""Two releases compared on the questions of the knowledge base: nothing is trained, and nothing is promoted."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from jargonaut.answering.loaded_release import LoadedRelease
from jargonaut.chunkers import chunker_of
from jargonaut.core.canonical import canonical_json
from jargonaut.core.document import document_id
from jargonaut.core.errors import InputError
from jargonaut.core.lineage import Lineage
from jargonaut.core.progress import Progress
from jargonaut.core.proof import Proof
from jargonaut.encoding.artifact import load_card
from jargonaut.index.port import Visibility
from jargonaut.plans import BASE, LEXICAL, Say, stored_documents
from jargonaut.proof.gate import Contest, Gate, decide
from jargonaut.proof.judge import Judgement, JudgingQuery, RankedChunks, Trial, groups_of, judge, parts_of
from jargonaut.proof.lineage import UNKNOWN
from jargonaut.proof.outcomes import with_first_sections
from jargonaut.proof.questions import Corpus, HeldOut, divide, untrained
from jargonaut.proof.report import render_report
from jargonaut.proof.retrieval import LEXICAL_ONLY, rankings, retrieve_pools
from jargonaut.proof.spans import MEASURE, Lengths, shares_found, span_questions
from jargonaut.releases.visibility import overlay
from jargonaut.training.pairs import mine_pairs
from jargonaut.user_labels import labels_of
from jargonaut.wiring import KnowledgeBase

BASELINE, CANDIDATE = "baseline", "candidate"


@dataclass(frozen=True, slots=True)
class Compared:
    """What came of it."""

    proof: Proof
    report_key: str
    """Key of the HTML report in the storage."""
    candidate: str
    """Release id."""
    baseline: str


def compare_releases(
    base: KnowledgeBase, candidate: str, baseline: str, gate: Gate, say: Say, progress: Progress
) -> Compared:
    """Measure one release against another, on documents that both hold alike.

    Questions about documents that a training of one of them read do not count, nor those that recipes are chosen on, if
    one of them was chosen. Where documents are cut otherwise, the text that is read is compared, else ranks.

    Args:
        base: The knowledge base.
        candidate: Id of a release.
        baseline: Id of the other.
        gate: What is asked of the candidate.
        say: Told what a user should know.
        progress: Told how far it is.

    Raises:
        InputError: They hold no document alike, or there is no question about any.
        IntegrityError: One of them cannot be served any more.
    """
    new, old = asyncio.run(_both(base, candidate, baseline))
    same = {uri: item for uri, item in new.documents.items() if _digest(old, uri) == item.content_digest}
    deleted = base.follower.current().deleted
    common = {uri: item for uri, item in same.items() if uri not in deleted}
    if not common:
        raise InputError(f"Releases {candidate[:12]} and {baseline[:12]} hold no document alike.")
    if len(common) < max(len(new.documents), len(old.documents)):
        say(f"Compared on the {len(common):,} documents that both hold alike.")
    progress("questions", 0, 1)
    questions, lineage, corpus = _questions(base, new, old, sorted(common), say)
    progress("questions", 1, 1, f"{len(questions.judged_on)} found")
    chosen = any(release.recipe.label not in (BASE, LEXICAL) for release in (new, old))
    queries = questions.judged_on if chosen else (*questions.chosen_on, *questions.judged_on)
    if not queries:
        raise InputError("There is no question to judge on.", "Add labelled questions ([tuning] labels).")
    trial = Trial(
        candidate=new.recipe.id,
        baseline=old.recipe.id,
        revision=new.revision.id,
        candidate_row=CANDIDATE,
        baseline_row=BASELINE,
        query_source=questions.source,
        queries_chosen_on=0,
        documents_held_out=len({query.group for query in queries}),
        lineage={"candidate release": candidate, "baseline release": baseline, **lineage},
        gate=gate,
    )
    progress("judge", 0, 1)
    judgement = asyncio.run(_judged((new, old), queries, trial, corpus, _seen(base, new, old, common)))
    progress("judge", 1, 1)
    key = f"comparisons/{judgement.proof.id}"
    base.storage.put_if_absent(f"{key}.json", canonical_json(judgement.proof.to_json()))
    report_key = f"{key}.html"
    base.storage.put_if_absent(report_key, render_report(judgement.proof, judgement.outcomes).encode())
    return Compared(judgement.proof, report_key, candidate, baseline)


async def _both(base: KnowledgeBase, first: str, second: str) -> tuple[LoadedRelease, LoadedRelease]:
    return await base.load_release(first), await base.load_release(second)


def _digest(release: LoadedRelease, uri: str) -> str:
    held = release.documents.get(uri)
    return held.content_digest if held else ""


def _questions(
    base: KnowledgeBase, new: LoadedRelease, old: LoadedRelease, uris: Sequence[str], say: Say
) -> tuple[HeldOut, dict[str, str], Corpus]:
    """All questions that neither was trained on, and what is known of their training."""
    encoder = old.recipe.encoder
    card = load_card(base.storage, encoder.document) if encoder else None
    chunker = chunker_of(base, old.recipe.chunker, card)
    documents = stored_documents(base, {uri: new.documents[uri] for uri in uris})
    chunks = [chunk for document in documents for chunk in chunker.split(document)]
    corpus = Corpus(documents, chunks, tuple(source.name for source in base.settings.sources))
    mined, labels = mine_pairs(documents, chunks), labels_of(base, documents, chunks, say)
    read = {
        f"{what} {side} encoder": base.registry.lineage(name)
        for what, release in ((CANDIDATE, new), (BASELINE, old))
        if release.recipe.encoder
        for side, name in (("document", release.recipe.encoder.document), ("query", release.recipe.encoder.query))
    }
    trained = [lineage for lineage in read.values() if lineage is not None]
    seed = base.settings.tuning.seed
    found = divide(corpus, mined, labels, seed).held_out if trained else untrained(corpus, mined, labels, seed)
    for lineage in trained:
        found = found.without_read(lineage)
    return found, {what: _known(lineage) for what, lineage in read.items()}, corpus


def _known(read: Lineage | None) -> str:
    if read is None:
        return UNKNOWN
    return (
        f"trained here on {len(read.texts):,} documents and {len(read.questions):,} questions, which do not count "
        f"({read.digest[:12]})"
    )


def _seen(base: KnowledgeBase, new: LoadedRelease, old: LoadedRelease, common: Collection[str]) -> Visibility:
    """Only what both hold alike."""
    state = base.follower.current()
    others = {document_id(uri) for uri in (*new.documents, *old.documents) if uri not in common}
    hidden = overlay(state, new.documents).everything().deleted | overlay(state, old.documents).everything().deleted
    return Visibility(everything=True, deleted=frozenset(others) | hidden)


async def _judged(
    releases: tuple[LoadedRelease, LoadedRelease],
    queries: Sequence[JudgingQuery],
    trial: Trial,
    corpus: Corpus,
    seen: Visibility,
) -> Judgement:
    new, old = releases
    if new.recipe.chunker == old.recipe.chunker:
        rows = {
            "bm25": await _ranked(old, queries, seen, words_only=True),
            BASELINE: await _ranked(old, queries, seen),
            CANDIDATE: await _ranked(new, queries, seen),
        }
        judgement = judge(rows, queries, trial)
        return Judgement(judgement.proof, await with_first_sections(old.reader, judgement.outcomes))
    questions, lengths = span_questions(queries, corpus.chunks), Lengths(corpus.documents)
    before, after = [
        await shares_found(release.reader, await _ranked(release, queries, seen), questions, lengths)
        for release in (old, new)
    ]
    groups, parts = groups_of(queries), parts_of(queries)
    contest = Contest(BASELINE, CANDIDATE, before, after, groups, measure=MEASURE, parts=parts)
    decision = decide(contest, trial.gate)
    proof = Proof(
        candidate=trial.candidate,
        baseline=trial.baseline,
        revision=trial.revision,
        query_source=trial.query_source,
        queries_chosen_on=0,
        queries_judged_on=len(queries),
        documents_held_out=trial.documents_held_out,
        level=trial.gate.level,
        resolves=decision.resolves,
        rows=(),
        comparison=decision.comparison,
        verdict=decision.verdict,
        reason=decision.reason,
        lineage=dict(trial.lineage),
        parts=decision.parts,
    )
    return Judgement(proof, ())


async def _ranked(
    release: LoadedRelease, queries: Sequence[JudgingQuery], seen: Visibility, words_only: bool = False
) -> list[RankedChunks]:
    fusion = release.recipe.fusion
    encoder = None if words_only else release.query_encoder
    found = await retrieve_pools(release.reader, encoder, queries, seen, fusion.pool, release.late)
    return rankings(found, LEXICAL_ONLY, None) if words_only else rankings(found, fusion, release.whitening)
