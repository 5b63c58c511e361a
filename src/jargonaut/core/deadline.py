"""A point in time by which something must be done."""

from __future__ import annotations

import time
from dataclasses import dataclass

from jargonaut.core.errors import DeadlineError


@dataclass(frozen=True, slots=True)
class Deadline:
    """A point on the monotonic clock, in seconds."""

    at_s: float

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        """`seconds` from now."""
        return cls(time.monotonic() + seconds)

    @property
    def left_s(self) -> float:
        """Seconds that are left; negative if it has passed."""
        return self.at_s - time.monotonic()

    def check(self, what: str) -> None:
        """Raise `DeadlineError` if it has passed; `what` was being done."""
        if self.left_s <= 0:
            raise DeadlineError(f"{what} took longer than allowed.", "Try again, or raise the deadline in [service].")
