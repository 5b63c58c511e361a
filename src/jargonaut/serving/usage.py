"""How many tokens a question and its answer took."""

from __future__ import annotations

import re

from jargonaut.answering.loaded_release import LoadedRelease
from jargonaut.generation.port import TokenUsage
from jargonaut.serving.wire import Usage

_WORD = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]|\w+|[^\w\s]")


def usage_of(release: LoadedRelease, question: str, content: str, spent: TokenUsage | None = None) -> Usage:
    """Tokens as the model behind the generator counts them, if there is one, documents included.

    Else as the release's encoder counts them; words and signs for a lexical release.
    """
    prompt = spent.prompt if spent else tokens_of(release, question)
    completion = spent.completion if spent else tokens_of(release, content)
    return Usage(prompt_tokens=prompt, completion_tokens=completion, total_tokens=prompt + completion)


def tokens_of(release: LoadedRelease, *texts: str) -> int:
    """Tokens of all `texts`, as `usage_of` counts them."""
    if release.query_encoder is not None:
        return sum(len(release.query_encoder.token_spans(text)) for text in texts)
    return sum(len(_WORD.findall(text)) for text in texts)
