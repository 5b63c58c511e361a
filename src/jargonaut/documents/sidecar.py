"""What stands beside a file and speaks of it: `report.pdf.meta.yaml` says what `report.pdf` cannot say itself."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

import yaml

from jargonaut.core.canonical import digest_bytes, digest_of
from jargonaut.core.document import Document
from jargonaut.core.errors import InputError, RuleError
from jargonaut.documents.encodings import decode
from jargonaut.documents.metadata import ALLOW, Metadata, metadata_of, yaml_problem
from jargonaut.documents.permissions import readers_of_both
from jargonaut.documents.port import Sidecar

SUFFIXES = (".meta.yaml", ".meta.yml", ".meta.json")
LARGEST_BYTES = 1 << 20
_ONE_VALUE = frozenset({ALLOW, "title", "author", "date", "modified", "lang", "language", "description"})


def described_file(name: str) -> str:
    """The name of the file that the sidecar `name` speaks of; empty if it is no sidecar."""
    suffix = next((suffix for suffix in SUFFIXES if name.endswith(suffix)), "")
    return name.removesuffix(suffix) if suffix else ""


def described(document: Document, sidecars: Iterable[Sidecar]) -> Document:
    """`document` with what its sidecars say.

    The last has the last word about title, author, date, language and description. Other values stand beside each
    other, so that a rule that looks for one finds it whatever else was said; `allow` of each narrows.

    Raises:
        RuleError: One cannot be read. It may have said who may read the document.
    """
    known = list(sidecars)
    if not known:
        return document
    metadata: Metadata = dict(document.metadata)
    for sidecar in known:
        said = _read(sidecar)
        if ALLOW in metadata and ALLOW in said:
            both = readers_of_both(frozenset(metadata[ALLOW]), frozenset(said[ALLOW]))
            said[ALLOW] = tuple(sorted(both))
        metadata = _combined(metadata, said)
    title, language = metadata.get("title"), metadata.get("language")
    return dataclasses.replace(
        document,
        metadata=metadata,
        content_digest=digest_with(document.content_digest, (sidecar.data for sidecar in known)),
        title=title if isinstance(title, str) and title else document.title,
        language=language if isinstance(language, str) and language else document.language,
    )


def _combined(one: Metadata, other: Metadata) -> Metadata:
    both = one | other
    for name in (one.keys() & other.keys()) - _ONE_VALUE:
        values = [
            item for value in (one[name], other[name]) for item in ((value,) if isinstance(value, str) else value)
        ]
        both[name] = tuple(dict.fromkeys(values)) if len(set(values)) > 1 else other[name]
    return both


def digest_with(content_digest: str, sidecars: Iterable[bytes]) -> str:
    """Digest of a file and of what stands beside it."""
    digests = [digest_bytes(sidecar) for sidecar in sidecars]
    return digest_of([content_digest, *digests]) if digests else content_digest


def _read(sidecar: Sidecar) -> Metadata:
    hint = f"Write one `name: value` a line in {sidecar.name}, as in a front matter."
    if len(sidecar.data) > LARGEST_BYTES:
        raise RuleError(f"{sidecar.name}, which speaks of it, is too large.", hint)
    try:
        value = yaml.safe_load(decode(sidecar.data))
    except (yaml.YAMLError, InputError, ValueError, RecursionError) as error:
        raise RuleError(f"{sidecar.name}, which speaks of it, cannot be read: {yaml_problem(error)}.", hint) from error
    if value is not None and not isinstance(value, dict):
        raise RuleError(f"{sidecar.name}, which speaks of it, holds no names with values.", hint)
    return metadata_of(value or {})
