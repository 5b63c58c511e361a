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
    """"query-side" tunes the encoder of questions only, and encodes no document again; "full" tunes both sides, encodes
    every document anew, and learns more, from labels above all; "static" makes a fast table of token vectors that
    imitates the encoder; "auto": full where there are labels enough to learn from, else query-side."""
    budget_s: float = Field(300, gt=0)
    """Seconds that training may take; turned into a number of steps, which is recorded."""
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
    writer_url: str = Field("", pattern=r"^(https?://.+)?$")
    """Endpoint that speaks OpenAI's chat completions, up to `/v1`: it writes questions for passages, which full tuning
    learns from. Passages that training may read are sent there. Empty: none are written."""
    writer_model: str = ""
    """Name of its model."""
    writer_key_env: str = Field("", pattern=r"^([A-Za-z_][A-Za-z0-9_]*)?$")
    """Environment variable with its key, if it needs one."""
    written_for: int = Field(300, ge=1)
    """Passages that questions are written for, at most."""


class GateSettings(Table):
    """When a recipe may replace the live one."""

    level: float = Field(0.001, gt=0, lt=0.5)
    """Largest p-value of the one-sided paired randomisation test that counts as a gain."""
    margin: float = Field(0.01, gt=0, lt=0.5)
    """Largest loss that counts as not inferior, when only the prompt, threshold or generator changes."""
