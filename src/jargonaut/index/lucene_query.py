"""What is looked for, as the body of a request: pure functions, the same for Elasticsearch and OpenSearch."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from jargonaut.core.filters import AllOf, AnyOf, Between, Equals, Filter, Not, OneOf, StartsWith
from jargonaut.index.port import EXACT_ROWS, Visibility

K1, B = 1.2, 0.75
"""Of BM25, the same in every engine."""
MOST_TERMS = 1_000
"""Of one question: OpenSearch refuses more than 1,024 clauses."""
MOST_VALUES = 50_000
"""In one `terms` clause: the servers refuse more than 65,536."""

Clause = dict[str, Any]


def filter_clause(visibility: Visibility, where: Filter | None, *more: Clause) -> Clause:
    """Who may see it, and the metadata filter, as one clause without a score."""
    return _all([*visible_clauses(visibility), *([filter_of(where)] if where else []), *more])


def visible_clauses(visibility: Visibility) -> list[Clause]:
    """The conditions under which a row may be seen; all must hold."""
    clauses = []
    if not visibility.everything:
        asker: Clause = {"terms": {"allow": sorted(visibility.principals)}}
        if visibility.changed:
            asker = {"bool": {"filter": [asker], "must_not": _one_of("document_id", visibility.changed)}}
        if visibility.readable:
            asker = _any([asker, *_one_of("document_id", visibility.readable)])
        clauses.append(asker)
    if visibility.deleted:
        clauses.append({"bool": {"must_not": _one_of("document_id", visibility.deleted)}})
    return clauses


def filter_of(expression: Filter) -> Clause:
    """A metadata filter."""
    match expression:
        case Equals(field, value):
            return {"term": {field: value}}
        case OneOf(field, values):
            return _any(_one_of(field, values)) if values else {"match_none": {}}
        case StartsWith(field, prefix):
            return {"prefix": {field: prefix}}
        case Between(field, low, high):
            bounds = {name: bound for name, bound in (("gte", low), ("lte", high)) if bound}
            return {"range": {field: {"gt": "", **bounds} if "gte" not in bounds else bounds}}
        case Not(operand):
            return {"bool": {"must_not": [filter_of(operand)]}}
        case AllOf(operands):
            return _all([filter_of(operand) for operand in operands])
        case AnyOf(operands):
            return _any([filter_of(operand) for operand in operands])


def lexical_body(terms: Sequence[str], limit: int, where: Clause) -> Clause:
    """Search by BM25."""
    match = {"terms": " ".join(terms[:MOST_TERMS])}
    return {"size": limit, "query": {"bool": {"must": [{"match": match}], "filter": [where]}}, **ROW_NUMBERS}


ROW_NUMBERS: Clause = {
    "_source": False,
    "stored_fields": "_none_",
    "docvalue_fields": ["row"],
    "track_total_hits": False,
}
"""Hits are row numbers, read from columns: reading ids or sources of a hundred hits costs more than finding them."""


def candidates_for(limit: int, rows: int) -> int:
    """How many vectors to look at for `limit` of them: all, where they are few enough to be exact."""
    return max(rows, limit, 1) if rows <= EXACT_ROWS else max(2 * limit, 200)


def chunks_body(where: Clause, fields: Iterable[str], size: int) -> Clause:
    """Rows with these fields of their source."""
    return {"size": size, "query": where, "_source": list(fields), "track_total_hits": False}


def neighbours_clause(document_id: str, ordinal: int, parent: tuple[int, int] | None) -> Clause:
    """The chunks of a document within `parent`; without one, that at `ordinal` and those right before and after."""
    near = [{"range": {"ordinal": {"gte": ordinal - 1, "lte": ordinal + 1}}}]
    if parent is not None:
        near = [{"range": {"start": {"gte": parent[0]}}}, {"range": {"end": {"lte": parent[1]}}}]
    return _all([{"term": {"document_id": document_id}}, *near])


def page_body(body: Clause, after: int | None, size: int = 10_000) -> Clause:
    """One page of all rows that match, in the order of row numbers, after row `after`."""
    page = {"track_total_hits": False, **body, "size": size, "sort": [{"row": "asc"}]}
    return page if after is None else {**page, "search_after": [after]}


def ndjson(lines: Iterable[Mapping[str, Any]]) -> bytes:
    """Newline-delimited JSON."""
    return b"".join(json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n" for line in lines)


def values_clause(field: str, values: Iterable[str]) -> Clause:
    """Rows whose `field` is one of `values`."""
    return _any(_one_of(field, values)) if values else {"match_none": {}}


def _one_of(field: str, values: Iterable[str]) -> list[Clause]:
    listed = sorted(values)
    return [{"terms": {field: listed[at : at + MOST_VALUES]}} for at in range(0, len(listed), MOST_VALUES)]


def _all(clauses: list[Clause]) -> Clause:
    if len(clauses) == 1:
        return clauses[0]
    return {"bool": {"filter": clauses}} if clauses else {"match_all": {}}


def _any(clauses: list[Clause]) -> Clause:
    if len(clauses) == 1:
        return clauses[0]
    return {"bool": {"should": clauses, "minimum_should_match": 1}} if clauses else {"match_none": {}}
