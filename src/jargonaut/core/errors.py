"""The error tree.

* JargonautError                what failed, where, and what to do next
  + InputError                  the user gave something that cannot be used; nothing was changed
    - SettingsError             jargonaut.toml or a command-line value
    - UnknownNameError          a name that does not exist (with the nearest ones that do)
    - SourceError               a source folder that cannot be read
    - RuleError                 a permission rule that cannot be read: the build is refused
  + MissingExtraError           an optional part is not installed
  + IntegrityError              bytes on disk are not what their digest says
  + NewerFormatError            written by a newer version of Jargonaut
  + SpaceMismatchError          a query vector from an encoder not certified for the index's space
  + ConflictError               someone else changed the same thing first
  + BusyError                   another build holds the lock
  + RefusedError                the gate, or a rule, says no
  + AuthenticationError         who asks is not known
  + PermissionDeniedError       who asks may not do this
  + UnavailableError            a part is down or not ready; trying again may help
    - DeadlineError             it took longer than it was allowed to
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class JargonautError(Exception):
    """Base of every error that Jargonaut raises on purpose.

    Args:
        message: What failed and where.
        hint: What to do next, as a sentence.
    """

    exit_code = 1
    http_status = 500
    code = "internal_error"
    retryable = False

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}" if self.hint else self.message


class InputError(JargonautError):
    """The user gave something that cannot be used; nothing was changed."""

    exit_code = 2
    http_status = 400
    code = "invalid_request"


class SettingsError(InputError):
    """A setting or a command-line value is wrong."""

    code = "invalid_settings"


class UnknownNameError(InputError):
    """A name does not exist; the nearest ones that do are offered."""

    http_status = 404
    code = "not_found"

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        names = sorted(known)
        near = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
        listed = near or names[:10]
        question = f"Did you mean {' or '.join(f'`{n}`' for n in listed)}?" if near else ""
        known_text = f"Known: {', '.join(f'`{n}`' for n in listed)}." if listed and not near else ""
        super().__init__(f"There is no {kind} `{name}`.", question or known_text)


class SourceError(InputError):
    """A source of documents cannot be read."""

    code = "source_unreadable"


class RuleError(InputError):
    """A permission rule cannot be read, so nobody knows who may see what."""

    code = "invalid_rule"


class MissingExtraError(JargonautError):
    """An optional part of Jargonaut is not installed."""

    exit_code = 2
    http_status = 501
    code = "missing_extra"

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"{what} is not installed.", f"Install it with: pip install 'jargonaut[{extra}]'")


class IntegrityError(JargonautError):
    """Bytes on disk are not what their digest says."""

    exit_code = 3
    code = "corrupted"


class NewerFormatError(JargonautError):
    """Something was written by a newer version of Jargonaut."""

    exit_code = 3
    code = "newer_format"


class SpaceMismatchError(JargonautError):
    """A query vector comes from an encoder that is not certified for the index's space."""

    exit_code = 3
    code = "space_mismatch"


class ConflictError(JargonautError):
    """Someone else changed the same thing first."""

    exit_code = 4
    http_status = 409
    code = "conflict"
    retryable = True


class BusyError(JargonautError):
    """Another process holds the lock."""

    exit_code = 4
    http_status = 409
    code = "busy"
    retryable = True


class RefusedError(JargonautError):
    """The gate, or a rule, says no."""

    exit_code = 5
    http_status = 409
    code = "refused"


class AuthenticationError(JargonautError):
    """Who asks is not known."""

    http_status = 401
    code = "invalid_api_key"


class PermissionDeniedError(JargonautError):
    """Who asks is known, and may not do this."""

    http_status = 403
    code = "permission_denied"


class UnavailableError(JargonautError):
    """A part is down or not ready; trying again may help."""

    exit_code = 6
    http_status = 503
    code = "unavailable"
    retryable = True


class DeadlineError(UnavailableError):
    """It took longer than it was allowed to."""

    http_status = 504
    code = "deadline_exceeded"
