"""Whose it is: tenant and knowledge base, in every path, port, index name and key from the first day."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from jargonaut.core.errors import InputError, RuleError

DEFAULT_TENANT = "default"
LIVE = "live"
CANARY = "canary"
PUBLIC = "public"
"""The principal that everyone has."""

_NAME = re.compile(r"[\w][\w.\-]{0,62}", re.UNICODE)
_PRINCIPAL = re.compile(r"public|(user|group|service):[^\s,|\x00-\x1f]{1,200}")


def checked_name(kind: str, name: str) -> str:
    """`name`, if it can stand in a path, a key and a URL.

    Raises:
        InputError: It cannot.
    """
    if not _NAME.fullmatch(name):
        raise InputError(
            f"`{name}` cannot be the name of a {kind}.",
            "Use 1 to 63 letters, digits, `.`, `_` or `-`, beginning with a letter or digit.",
        )
    return name


def checked_principals(principals: Iterable[str], where: str) -> frozenset[str]:
    """`principals` as a set, each `public`, `user:NAME`, `group:NAME` or `service:NAME`.

    Raises:
        RuleError: One of them is not of that form; `where` says whose it is.
    """
    checked = frozenset(principals)
    for principal in sorted(checked):
        if not _PRINCIPAL.fullmatch(principal):
            raise RuleError(
                f"{where}: `{principal}` is not a principal.",
                "Write `public`, `user:NAME`, `group:NAME` or `service:NAME`.",
            )
    return checked


@dataclass(frozen=True, slots=True, order=True)
class Scope:
    """One knowledge base of one tenant."""

    tenant: str
    knowledge_base: str

    def __post_init__(self) -> None:
        checked_name("tenant", self.tenant)
        checked_name("knowledge base", self.knowledge_base)

    @property
    def path(self) -> str:
        """`tenant/knowledge-base`, for keys and folders."""
        return f"{self.tenant}/{self.knowledge_base}"
