"""Whether a candidate was trained on what it is judged on. If it was, there is no proof."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from jargonaut.core.errors import RefusedError
from jargonaut.core.lineage import Lineage, question_mark
from jargonaut.proof.judge import JudgingQuery

UNKNOWN = "trained elsewhere: what it read is not known"
_SHOWN = 3


def checked_lineage(
    encoders: Mapping[str, Lineage | None], queries: Sequence[JudgingQuery], texts: Mapping[str, str]
) -> dict[str, str]:
    """What the record says of each encoder's training.

    Args:
        encoders: By what it is for (`document encoder`, ...), what the training of each read; None if that is not
            known.
        queries: All that the candidate is chosen and judged on.
        texts: By id, the marks of the documents that were held out.

    Raises:
        RefusedError: A training read a held-out document or a question.
    """
    said = {}
    for name, read in encoders.items():
        if read is None:
            said[name] = UNKNOWN
            continue
        documents = sorted(document for document, text in texts.items() if text in read.texts)
        questions = [query.text for query in queries if question_mark(query.text) in read.questions]
        if documents or questions:
            raise RefusedError(_leak(name, documents, questions, queries), _HINT)
        said[name] = (
            f"trained here on {len(read.texts):,} documents and {len(read.questions):,} questions, none of them held "
            f"out ({read.digest[:12]}); what its base was trained on is not known"
        )
    return said


_HINT = "Train again without them, or judge on questions about other documents: nothing was promoted."


def _leak(name: str, documents: Sequence[str], questions: Sequence[str], queries: Sequence[JudgingQuery]) -> str:
    sections = {query.document_id: query.section.partition(": ")[0] for query in queries}
    shown = [sections.get(document, document) for document in documents[:_SHOWN]]
    shown += [f"“{question}”" for question in questions[:_SHOWN]]
    return (
        f"The proof is refused: the training of the {name} read {len(documents):,} documents and {len(questions):,} "
        f"questions that it would be judged on, such as {', '.join(shown)}."
    )
