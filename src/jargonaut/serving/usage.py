"""How many tokens a question and its answer have."""

from __future__ import annotations

import re

from jargonaut.answering.loaded_release import LoadedRelease
from jargonaut.serving.wire import Usage

_WORD = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]|\w+|[^\w\s]")


def usage_of(release: LoadedRelease, question: str, content: str) -> Usage:
    """Tokens as the release's encoder counts them; words and signs for a lexical release."""
    prompt, completion = _tokens(release, question), _tokens(release, content)
    return Usage(prompt_tokens=prompt, completion_tokens=completion, total_tokens=prompt + completion)


def _tokens(release: LoadedRelease, text: str) -> int:
    if release.query_encoder is not None:
        return len(release.query_encoder.token_spans(text))
    return len(_WORD.findall(text))
