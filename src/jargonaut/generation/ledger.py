"""What generators were asked, and what that took, by model: for who pays the bill."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

Outcome = Literal["answered", "refused", "limited", "failed", "unreachable", "timeout", "malformed", "left"]


@dataclass(frozen=True, slots=True)
class Spent:
    """Totals of one model since the process began."""

    requests: int = 0
    failed: int = 0
    """Of them, those that gave no whole answer."""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    estimated: int = 0
    """Answers whose tokens the endpoint did not say, so that they were counted by us."""


class TokenLedger:
    """Safe to use from several threads.

    Args:
        on_attempt: Told the model and how an attempt ended.
        on_tokens: Told the model, and how many tokens it read and wrote.
    """

    def __init__(
        self,
        on_attempt: Callable[[str, str], None] = lambda model, outcome: None,
        on_tokens: Callable[[str, int, int], None] = lambda model, prompt, completion: None,
    ) -> None:
        self._on_attempt = on_attempt
        self._on_tokens = on_tokens
        self._spent: dict[str, Spent] = {}
        self._lock = threading.Lock()

    def attempt(self, model: str, outcome: Outcome) -> None:
        """One request is done."""
        with self._lock:
            spent = self._spent.get(model, Spent())
            failed = spent.failed + (outcome != "answered")
            self._spent[model] = replace(spent, requests=spent.requests + 1, failed=failed)
        self._on_attempt(model, outcome)

    def tokens(self, model: str, prompt: int, completion: int, *, estimated: bool) -> None:
        """So much was read and written."""
        with self._lock:
            spent = self._spent.get(model, Spent())
            self._spent[model] = replace(
                spent,
                prompt_tokens=spent.prompt_tokens + prompt,
                completion_tokens=spent.completion_tokens + completion,
                estimated=spent.estimated + estimated,
            )
        self._on_tokens(model, prompt, completion)

    def totals(self) -> Mapping[str, Spent]:
        """By model."""
        with self._lock:
            return dict(self._spent)
