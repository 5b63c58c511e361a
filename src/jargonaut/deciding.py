"""From a judgement to what follows: recorded, reported, and promoted if the gate agrees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from jargonaut.core.errors import ConflictError, IntegrityError, UnknownNameError
from jargonaut.core.proof import Proof
from jargonaut.core.release import Recipe, Release, Revision
from jargonaut.core.scope import LIVE, Scope
from jargonaut.proof.gate import Gate
from jargonaut.proof.judge import Judgement, JudgingQuery
from jargonaut.proof.looks import EarlierLook, Look, next_look
from jargonaut.proof.report import render_report
from jargonaut.releases.channels import Promotion, promote
from jargonaut.releases.registry import Registry
from jargonaut.state.knowledge_base import Follower, journal_stream, record
from jargonaut.state.port import Journal
from jargonaut.storage.port import Storage

_RETRIES = 20


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


class Plan(Protocol):
    """What deciding needs of a plan."""

    @property
    def scope(self) -> Scope: ...  # noqa: D102
    @property
    def storage(self) -> Storage: ...  # noqa: D102
    @property
    def registry(self) -> Registry: ...  # noqa: D102
    @property
    def journal(self) -> Journal: ...  # noqa: D102
    @property
    def gate(self) -> Gate: ...  # noqa: D102
    @property
    def force(self) -> bool: ...  # noqa: D102


def look_at(plan: Plan, queries: Sequence[JudgingQuery], proving: tuple[str, str, str]) -> Look:
    """Which of the questions decide, and at what level, after all that they have decided before.

    Args:
        plan: Where that is recorded.
        queries: The judging half.
        proving: Ids of candidate, baseline and revision.
    """
    return next_look(queries, _earlier_looks(plan), plan.gate.level, proving)


def decided(
    plan: Plan, recipe: Recipe, revision: Revision, judgement: Judgement, look: Look | None = None
) -> Adaptation:
    """Record a judgement, and let the candidate go live if it passes or is forced.

    Args:
        plan: Where to.
        recipe: The candidate.
        revision: What it was proven on.
        judgement: What was measured.
        look: The look that it was; None if nothing could have passed as a gain.

    Raises:
        ConflictError: Another recipe is live than the one that this was proven against.
    """
    registry, proof = plan.registry, judgement.proof
    release = Release(registry.put(recipe), registry.put(revision))
    registry.put(release)
    proof_id = registry.put_proof(proof)
    report_key = f"proofs/{proof_id}.html"
    plan.storage.put_if_absent(report_key, render_report(proof, judgement.outcomes).encode())
    body = {
        "recipe": recipe.id,
        "proof": proof_id,
        "verdict": proof.verdict,
        "baseline": proof.baseline,
        "revision": revision.id,
        "look": look.number if look else 0,
        "judged": registry.put_questions(look.marks) if look else "",
    }
    record(plan.journal, plan.scope, "proved", body)
    promoted = proof.promotes or plan.force
    if promoted:
        release = _gone_live(plan, recipe, revision, proof)
    return Adaptation(proof, report_key, recipe, release, promoted, promoted and not proof.promotes)


def _earlier_looks(plan: Plan) -> list[EarlierLook]:
    """All proofs that could have promoted a gain. Of one whose questions are gone, they may have been any."""
    looks = []
    for event in plan.journal.read(journal_stream(plan.scope), 0):
        if event.kind != "proved" or event.body.get("look") == 0:
            continue
        body = event.body
        try:
            questions = plan.registry.questions(body["judged"])
        except (KeyError, UnknownNameError, IntegrityError):
            questions = None
        looks.append(
            EarlierLook(
                body["recipe"], body.get("baseline", ""), body.get("revision", ""), questions, body.get("look", 1)
            )
        )
    return looks


def _gone_live(plan: Plan, recipe: Recipe, revision: Revision, proof: Proof) -> Release:
    """The release that was promoted: with the documents as they are now, if they changed during the proof."""
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
        promotion = Promotion(LIVE, release.id, proof.verdict, proof.id, reason, forced, live.sequence, among_kept=True)
        try:
            promote(plan.journal, registry, plan.scope, promotion)
        except ConflictError:
            continue  # a build published meanwhile
        return release
    raise ConflictError(
        "Another recipe went live while this one was being proven, and it was not proven against that one.",
        "Prove again: `jargonaut prove`.",
    )
