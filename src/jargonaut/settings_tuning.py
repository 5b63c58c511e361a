"""`[tuning]` and `[gate]` of `jargonaut.toml`: what is fitted to the documents, and when it may go live."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from jargonaut.settings_file import LocalFile, Table


class TuningSettings(Table):
    """Fitting the encoder to the documents."""

    enabled: bool = True
    """Whether a tuned encoder is tried once the base encoder serves."""
    method: Literal["auto", "query-side", "full", "static"] = "auto"
    """"query-side": questions only; "full": both sides; "static": a fast table; "auto": full if labels teach."""
    budget_s: float = Field(300, gt=0)
    """Seconds that training may take."""
    seed: int = Field(7, ge=0)
    """Of every random choice: the same documents and the same seed give the same split and the same pairs."""
    labels: LocalFile = ""
    """Questions with what answers them: a .jsonl, .json, .csv or .tsv file, or a BEIR folder (see labels.md)."""
    queries: LocalFile = ""
    """Questions as people ask them, without labels: one a line, or JSON Lines with `text`. Fifty of them or more decide
    what words weigh against meaning."""
    compare_tokens: bool = True
    """Whether the vectors of single tokens are kept, and compared too: about 130 bytes a token of the documents."""
    labels_shape: Literal["auto", "beir", "judged", "answers", "clicks", "feedback"] = "auto"
    """What the labels are, if that is not to be told from the columns."""
    examination: Annotated[float, Field(ge=0, le=3)] | Literal["estimated"] = "estimated"
    """For clicks: people look at a result as 1 / position to this power, which the log tells if it can."""


class GateSettings(Table):
    """When a recipe may replace the live one."""

    level: float = Field(0.001, gt=0, lt=0.5)
    """Largest p-value of the one-sided paired randomisation test that counts as a gain."""
    margin: float = Field(0.01, gt=0, lt=0.5)
    """Largest loss that counts as not inferior, when only the prompt, threshold or generator changes."""
