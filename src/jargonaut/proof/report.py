"""The proof as one self-contained HTML page: verdict first, then the evidence. No scripts, no fetched parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from importlib import resources

from jargonaut.core.proof import Comparison, Interval, Proof, Row, Verdict
from jargonaut.proof.figures import difference_figure, rows_figure, shares_figure, sorted_figure
from jargonaut.proof.gate import odds, points
from jargonaut.proof.judge import QueryOutcome
from jargonaut.proof.outcomes import MovedTerm, biggest, moved_terms

ROW_NOTES = {
    "bm25": "words alone",
    "base": "vectors alone, encoder as it came",
    "tuned": "vectors alone, tuned encoder",
    "plain rrf": "words and vectors by reciprocal ranks, as is usual",
    "fused base": "words and vectors, as it came",
    "fused tuned": "words and vectors, tuned encoder",
    "reranked": "the same, ordered by a reranker",
}
_KINDS = {"language": "language", "documents": "source of documents", "questions": "kind of question"}


@dataclass(frozen=True, slots=True)
class _Headline:
    title: str
    meaning: str
    icon: str
    """Strokes inside a circle of radius 22 around (24, 24)."""


_HEADLINES: dict[Verdict, _Headline] = {
    "better": _Headline(
        "Better",
        "The candidate finds the right section more reliably than the live recipe, on documents that training never "
        "saw. It may go live.",
        '<path d="M14 25l7 7 14-16"/>',
    ),
    "not inferior": _Headline(
        "Not worse",
        "The candidate loses no more than the margin allows against the live recipe. It may go live.",
        '<path d="M15 20h18M15 28h18"/>',
    ),
    "cannot tell": _Headline(
        "Cannot tell",
        "These questions do not show that the candidate is better. The live recipe stays.",
        '<path d="M18.5 19.5a5.5 5.5 0 1 1 8.5 4.6c-2 1.3-3 2.3-3 4.9M24 34.5v.2"/>',
    ),
    "worse": _Headline(
        "Worse",
        "The candidate finds the right section less reliably than the live recipe. The live recipe stays.",
        '<path d="M16 16l16 16M32 16L16 32"/>',
    ),
    "uneven": _Headline(
        "Uneven",
        "The candidate is better on average, but beyond chance worse for some. The live recipe stays.",
        '<path d="M12 24h6l4-9 5 18 4-9h5"/>',
    ),
    "unproven": _Headline(
        "Unproven",
        "This is the first recipe: there was nothing live to be better than. It goes live with this label.",
        '<path d="M24 14v12M24 33.5v.2"/>',
    ),
}


def render_report(proof: Proof, outcomes: Sequence[QueryOutcome] = ()) -> str:
    """The page.

    Args:
        proof: The record.
        outcomes: One per judging query. They show text of questions and documents: pass them only where whoever reads
            the page may read those.
    """
    headline = _HEADLINES[proof.verdict]
    css = resources.files(__package__).joinpath("report.css").read_text(encoding="utf-8")
    sections = [
        _verdict(proof, headline),
        _rows(proof),
        _difference(proof, outcomes),
        _parts(proof),
        _seen(proof),
        _opinions(proof),
        _changes(outcomes),
        _terms(outcomes),
        _provenance(proof),
        _reading(),
        _lineage(proof),
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{headline.title}: proof of recipe {escape(proof.candidate[:8])}</title><style>{css}</style></head>"
        f"<body><main>{''.join(sections)}<footer>Proof {escape(proof.id)}, written by Jargonaut.</footer></main></body>"
        "</html>\n"
    )


def _verdict(proof: Proof, headline: _Headline) -> str:
    against = f" against live recipe {_short(proof.baseline)}" if proof.baseline else ""
    figures = _figures(proof, proof.comparison) if proof.comparison else ""
    return (
        f'<p class="label">Proof of retrieval · recipe {_short(proof.candidate)}{against}</p>'
        f'<header class="verdict {proof.verdict.replace(" ", "-")}">'
        '<svg viewBox="0 0 48 48" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="3"'
        f' stroke-linecap="round" stroke-linejoin="round"><circle cx="24" cy="24" r="22"/>{headline.icon}</svg>'
        f'<h1>{headline.title}</h1><p>{headline.meaning}</p><p class="reason">{escape(proof.reason)}</p></header>'
        f"{figures}"
    )


def _figures(proof: Proof, comparison: Comparison) -> str:
    p_value = comparison.p_value
    chance = odds(p_value).removesuffix(" tries").replace("once", "1").replace("less than", "<")
    chance = f"{100 * p_value:.0f} %" if p_value > 0.1 else chance
    cells = (
        (points(comparison.difference.mean), f"points of {escape(comparison.measure)}, mean difference"),
        (f"{points(comparison.difference.low)} … {points(comparison.difference.high)}", "95&nbsp;% interval, points"),
        (chance, "how often chance alone does as well"),
        (str(proof.queries_judged_on), "judging questions"),
    )
    return f'<dl class="figures">{"".join(f"<div><dt>{what}</dt><dd>{value}</dd></div>" for value, what in cells)}</dl>'


def _rows(proof: Proof) -> str:
    if not proof.rows:
        return ""
    roles = {proof.comparison.baseline: "baseline", proof.comparison.candidate: "candidate"} if proof.comparison else {}
    body = "".join(
        f'<tr class="{roles.get(row.name, "other")}"><th scope="row">{escape(row.name)}</th>'
        + "".join(f"<td>{_cell(interval)}</td>" for _, interval in _measures(row))
        + "</tr>"
        for row in proof.rows
    )
    heads = "".join(f'<th scope="col">{name}</th>' for name, _ in _measures(proof.rows[0]))
    return (
        f"<h2>How well each ranking finds the right section</h2><figure>{rows_figure(proof.rows, roles, ROW_NOTES)}"
        "<figcaption>nDCG@10 on questions about documents that training never saw. Dots are means, lines 95&nbsp;% "
        "bootstrap intervals. Rows share their questions, so overlapping intervals do not mean that rows are equal: "
        "the paired difference below decides.</figcaption></figure>"
        '<div class="scroll" tabindex="0" role="region" aria-label="Table of metrics"><table class="numbers"><thead>'
        f'<tr><th scope="col">Ranking</th>{heads}</tr></thead><tbody>{body}</tbody></table></div>'
    )


def _measures(row: Row) -> list[tuple[str, Interval]]:
    found = (
        ("nDCG@10", row.ndcg_at_10),
        ("MRR@10", row.mrr_at_10),
        ("Recall@5", row.recall_at_5),
        ("Recall@10", row.recall_at_10),
        ("Recall@100", row.recall_at_100),
    )
    return [(name, interval) for name, interval in found if interval]


def _cell(interval: Interval) -> str:
    return f"{interval.mean:.3f}<small>{interval.low:.3f}–{interval.high:.3f}</small>"


def _difference(proof: Proof, outcomes: Sequence[QueryOutcome]) -> str:
    comparison = proof.comparison
    if comparison is None:
        return ""
    each = (
        f"<figure>{sorted_figure([outcome.difference for outcome in outcomes])}"
        "<figcaption>Every judging question's difference in points, the greatest gain first.</figcaption></figure>"
        if outcomes
        else ""
    )
    return (
        "<h2>The paired difference</h2>"
        f"<p>{escape(comparison.candidate)} minus {escape(comparison.baseline)}, question by question.</p>"
        f"<figure>{difference_figure(comparison, proof.resolves)}<figcaption>Mean difference in points of "
        f"{escape(comparison.measure)} with its 95&nbsp;% interval. The dashed line is the smallest true difference "
        "that these questions would "
        f"show at the gate's level, {odds(proof.level)}, 19 times out of 20.</figcaption></figure>"
        f"<figure>{shares_figure(comparison)}</figure>{each}"
    )


def _parts(proof: Proof) -> str:
    if not proof.parts:
        return ""
    body = "".join(
        f'<tr class="{"harmed" if part.harmed else "other"}"><th scope="row">{escape(part.name or "not known")}'
        f"<small>{_KINDS.get(part.kind, escape(part.kind))}</small></th><td>{part.queries}</td>"
        f"<td>{_signed(part.difference)}</td><td>{odds(part.p_value)}</td>"
        f"<td>{points(-part.resolves)}</td></tr>"
        for part in proof.parts
    )
    return (
        "<h2>Who gains, and who loses</h2><p>Every language and every source is asked for harm by itself: a gain on "
        "average must not be paid for by one of them.</p>"
        '<div class="scroll"><table class="numbers"><thead><tr><th scope="col">Part</th><th scope="col">Questions</th>'
        '<th scope="col">Difference, points</th><th scope="col">Chance alone loses as much</th>'
        '<th scope="col">A loss that would be seen</th></tr></thead>'
        f"<tbody>{body}</tbody></table></div><p><small>Chances are corrected for the number of parts (Holm). One in 20 "
        "or rarer counts as harm, and keeps the live recipe.</small></p>"
    )


def _seen(proof: Proof) -> str:
    if not proof.seen_rows:
        return ""
    unseen = {row.name: row.ndcg_at_10 for row in proof.rows}
    body = "".join(
        f'<tr><th scope="row">{escape(row.name)}</th><td>{_cell(unseen[row.name])}</td><td>{_cell(row.ndcg_at_10)}</td>'
        "</tr>"
        for row in proof.seen_rows
        if row.name in unseen
    )
    return (
        f"<h2>Documents that training saw</h2><p>nDCG@10 on {proof.queries_seen:,} questions about documents that "
        "training read, beside those that decide. What is gained on these alone is learned by heart.</p>"
        '<div class="scroll"><table class="numbers"><thead><tr><th scope="col">Ranking</th><th scope="col">Unseen</th>'
        f'<th scope="col">Seen</th></tr></thead><tbody>{body}</tbody></table></div>'
    )


def _opinions(proof: Proof) -> str:
    if not proof.opinions:
        return ""
    said = []
    for opinion in proof.opinions:
        agrees = "the same" if opinion.verdict == proof.verdict else f"“{opinion.verdict}”"
        comparison = opinion.comparison
        said.append(
            f"<li>{opinion.queries:,} questions from {escape(opinion.source)} would have said {agrees}: "
            f"{_signed(comparison.difference)} points, which chance alone does {odds(comparison.p_value)}.</li>"
        )
    return (
        "<h2>What other questions say</h2><p>They decide nothing. Where they agree with those that do, the documents' "
        f"own questions can be trusted here without labels.</p><ul>{''.join(said)}</ul>"
    )


def _changes(outcomes: Sequence[QueryOutcome]) -> str:
    wins, losses = biggest(outcomes)
    if not wins and not losses:
        return ""
    return (
        "<h2>Where it changed most</h2><p>Rank of what answers, before and after, and what came first instead.</p>"
        f'<div class="changes">{_change_list("Biggest wins", "gain", wins)}'
        f"{_change_list('Biggest losses', 'loss', losses)}</div>"
    )


def _change_list(title: str, kind: str, outcomes: Sequence[QueryOutcome]) -> str:
    items = "".join(
        f'<li><q dir="auto">{escape(outcome.query)}</q><span class="rank">{_rank(outcome.baseline_rank)} → '
        f'{_rank(outcome.candidate_rank)}</span> <span class="path" dir="auto">{escape(outcome.section)}</span>'
        f"{_first(outcome)}</li>"
        for outcome in outcomes
    )
    return f'<section class="{kind}"><h3>{title}</h3><ol>{items or "<li>None.</li>"}</ol></section>'


def _first(outcome: QueryOutcome) -> str:
    """What came first before and after, side by side."""
    cells = (("First before", outcome.baseline_first), ("First after", outcome.candidate_first))
    if not any(name for _, name in cells):
        return ""
    shown = "".join(f'<div><small>{what}</small><span dir="auto">{escape(name)}</span></div>' for what, name in cells)
    return f'<div class="beside">{shown}</div>'


def _terms(outcomes: Sequence[QueryOutcome]) -> str:
    gained, lost = moved_terms(outcomes)
    if not gained and not lost:
        return ""
    return (
        "<h2>The terms that moved most</h2><p>Mean difference, in points, of the questions with a term, and how many "
        f'they are.</p><div class="changes">{_term_list("Gained", "gain", gained)}{_term_list("Lost", "loss", lost)}'
        "</div>"
    )


def _term_list(title: str, kind: str, terms: Sequence[MovedTerm]) -> str:
    items = "".join(
        f'<li><span dir="auto">{escape(moved.term)}</span> <span class="rank">{points(moved.difference)}</span> '
        f"<small>{moved.questions} questions</small></li>"
        for moved in terms
    )
    return f'<section class="{kind} terms"><h3>{title}</h3><ol>{items or "<li>None.</li>"}</ol></section>'


def _signed(interval: Interval) -> str:
    return f"{points(interval.mean)}<small>{points(interval.low)} … {points(interval.high)}</small>"


def _provenance(proof: Proof) -> str:
    chosen, judged = f"{proof.queries_chosen_on:,}", f"{proof.queries_judged_on:,}"
    return (
        f"<h2>Where the questions came from</h2><p>{escape(proof.query_source)}</p>"
        f"<p>{proof.documents_held_out:,} documents were held out of training. Of the questions about them, {chosen} "
        f"were used to choose settings and {judged}, about other documents, to judge, once. {judged} questions resolve "
        f"about {points(proof.resolves, signed=False)} points: a true difference of that size is seen 19 times out of "
        f"20, a smaller one less often.</p>{_looks(proof)}"
    )


def _looks(proof: Proof) -> str:
    if not proof.family_level:
        return ""
    before = f"This is look {proof.look} at these questions. " if proof.look > 1 else ""
    return (
        f"<p>{before}All proofs that share questions share one level, {proof.family_level:g}, however many they are; "
        f"this one is held to {proof.level:.2g}.</p>"
    )


def _reading() -> str:
    return (
        '<h2>How to read the numbers</h2><dl class="words">'
        "<dt>nDCG@10</dt><dd>1 if the right section comes first, .63 if second, .5 if third, falling to .29 at rank "
        "10, and 0 beyond; where several things answer, better ones count more. A point is a hundredth.</dd>"
        "<dt>Recall@5, @10, @100</dt><dd>Share of what answers a question that is among the first so many.</dd>"
        "<dt>MRR@10</dt><dd>1 divided by the rank of the right section, 0 beyond rank 10.</dd>"
        "<dt>Interval and chance</dt><dd>Whole documents are resampled (bootstrap) and swapped at random between the "
        "two recipes (paired randomisation test), so that many questions about one document do not count as much "
        "evidence.</dd></dl>"
    )


def _lineage(proof: Proof) -> str:
    entries = {
        "Candidate recipe": proof.candidate,
        "Live recipe": proof.baseline or "none",
        "Revision": proof.revision,
        "Gate, one-sided level": f"{proof.level:.3g}",
        **proof.lineage,
    }
    rows = "".join(f'<tr><th scope="row">{escape(k)}</th><td>{escape(str(v))}</td></tr>' for k, v in entries.items())
    return (
        '<h2>Lineage</h2><div class="scroll"><table class="ids"><caption>What was compared, and digests of what '
        f"training read and of what was held out.</caption><tbody>{rows}</tbody></table></div>"
    )


def _rank(rank: int | None) -> str:
    return "not found" if rank is None else str(rank)


def _short(identity: str) -> str:
    return escape(identity[:8])
