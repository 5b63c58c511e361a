"""Questions written by a language model for passages that training may read (as in InPars, Bonifacio et al. 2022).

Any endpoint that speaks OpenAI's chat completions will do. What was written is kept, so that an interrupted run, or the
next one, asks for nothing twice.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jargonaut.core.document import Chunk
from jargonaut.core.errors import UnavailableError
from jargonaut.core.progress import Progress
from jargonaut.training.pairs import Pair
from jargonaut.training.query_text import comparable, says_enough

_PROMPT = (
    "Write two questions that the passage below answers, as somebody would ask them who has not read it and uses other "
    "words. One a line, nothing else, in the language of the passage.\n\nPassage:\n{}"
)
_CHINESE_PROMPT = (
    "请为下面的段落写两个问题：答案就在段落里，但提问的人没有读过它，用的是自己的话。"
    "每行一个问题，不要写别的内容。\n\n段落：\n{}"
)
_CJK = re.compile(r"[\u3400-\u9fff]")
_NUMBERING = re.compile(r"^\s*(?:[-*•]|\(?\d{1,2}[.)、:：]|(?:question|问题|q)\s*\d*\s*[:：.])\s*", re.IGNORECASE)
_ABOUT_THE_TEXT = re.compile(
    r"\b(?:this|the) (?:passage|text|paragraph|document|section)\b|(?:本段|这段|该段|上文|文中|段落)", re.I
)
_MIN_WORDS = 3
_COPIED_WORDS = 8
_MOST_CHARACTERS = 3000
_TIMEOUT_S = 120.0
_ASKED = 2


@dataclass(frozen=True, slots=True)
class Writer:
    """An endpoint that writes."""

    url: str
    """Up to and with `/v1`."""
    model: str
    api_key: str = ""

    def __repr__(self) -> str:
        """Without the key."""
        return f"Writer({self.url}, {self.model})"

    def write(self, passage: str) -> list[str]:
        """Questions that a passage answers, without those that are of no use; perhaps none.

        Raises:
            UnavailableError: The endpoint cannot be reached, refuses, or answers in another shape.
        """
        import httpx

        prompt = _CHINESE_PROMPT if len(_CJK.findall(passage)) > len(passage) / 5 else _PROMPT
        body = {
            "model": self.model,
            "messages": [{"role": "user", "content": prompt.format(passage[:_MOST_CHARACTERS])}],
            "temperature": 0,
            "max_tokens": 160,
        }
        headers = {"authorization": f"Bearer {self.api_key}"} if self.api_key else {}
        try:
            answer = httpx.post(
                f"{self.url.rstrip('/')}/chat/completions", json=body, headers=headers, timeout=_TIMEOUT_S
            )
            answer.raise_for_status()
            said = str(answer.json()["choices"][0]["message"]["content"])
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError, IndexError, TypeError) as error:
            raise UnavailableError(
                f"{self.url} wrote no questions: {error or type(error).__name__}.",
                "Check [tuning] writer_url, writer_model and the key; or leave writer_url empty.",
            ) from error
        return usable(said.splitlines(), passage)


def usable(lines: Sequence[str], passage: str) -> list[str]:
    """The lines that are questions of their own: long enough, not copied, not about "the passage"."""
    kept = []
    held = f" {comparable(passage)} "
    for line in lines:
        question = _NUMBERING.sub("", line).strip().strip("\"“”'")
        words = comparable(question).split()
        runs = [" ".join(words[at : at + _COPIED_WORDS]) for at in range(len(words) - _COPIED_WORDS + 1)]
        is_copied = any(f" {run} " in held for run in runs)
        if says_enough(question, _MIN_WORDS) and not is_copied and not _ABOUT_THE_TEXT.search(question):
            kept.append(question)
    return list(dict.fromkeys(kept))[:_ASKED]


def written_pairs(
    chunks: Sequence[Chunk], writer: Writer, kept: Path, most: int, seed: int, progress: Progress
) -> list[Pair]:
    """Questions for a sample of chunks.

    Args:
        chunks: Those that training may read.
        writer: Who writes.
        kept: JSON Lines file of what was written before, by chunk and model; what is new is appended.
        most: Chunks to write for.
        seed: Of the sample.
        progress: Told how many chunks are done.

    Raises:
        UnavailableError: The endpoint fails. What was written until then is kept.
    """
    sample = random.Random(seed).sample(list(chunks), min(most, len(chunks)))
    known = _known(kept, writer.model)
    kept.parent.mkdir(parents=True, exist_ok=True)
    pairs = []
    with kept.open("a", encoding="utf-8") as file:
        for number, chunk in enumerate(sample, 1):
            if chunk.id not in known:
                known[chunk.id] = writer.write(chunk.indexed_text)
                line = {"chunk": chunk.id, "model": writer.model, "questions": known[chunk.id]}
                file.write(json.dumps(line, ensure_ascii=False) + "\n")
                file.flush()
            own = (chunk.document_id,)
            pairs += [Pair(question, (chunk.id,), own, "written", own, ()) for question in known[chunk.id]]
            progress("write", number, len(sample), f"{len(pairs)} questions")
    return pairs


def _known(kept: Path, model: str) -> dict[str, list[str]]:
    """What a line that was cut off by a kill said is written again."""
    found: dict[str, list[str]] = {}
    lines = kept.read_text(encoding="utf-8", errors="replace").splitlines() if kept.is_file() else []
    for line in lines:
        try:
            value: dict[str, Any] = json.loads(line)
            if value["model"] == model:
                found[str(value["chunk"])] = [str(question) for question in value["questions"]]
        except (ValueError, KeyError, TypeError):
            continue
    return found
