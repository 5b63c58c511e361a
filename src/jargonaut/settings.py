"""`jargonaut.toml` as frozen types. Everything has a default but the knowledge bases; secrets are never in it.

A key that ends in `_env` names the environment variable that holds a secret. Relative paths are relative to the file.
"""

from __future__ import annotations

import ipaddress
import os
import re
import unicodedata
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import (
    Field,
    Strict,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from jargonaut.chunking.port import LEAST_TOKENS
from jargonaut.core.canonical import digest_of
from jargonaut.core.scope import DEFAULT_TENANT, PUBLIC
from jargonaut.settings_edge import CloudflareSettings, EdgeSettings
from jargonaut.settings_file import Folder, Table, Texts, anchored, commented_example, explain, read_toml
from jargonaut.settings_index import IndexSettings
from jargonaut.settings_tokens import TokenSettings
from jargonaut.settings_tuning import GateSettings, TuningSettings
from jargonaut.settings_values import Pattern, Patterns, Principals, Share, named

SETTINGS_FILE = "jargonaut.toml"
"""The name under which the command line looks for settings."""

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.\-]*/[\w.\-]+(@[\w./\-]+)?", re.ASCII)
_PACKAGE = re.compile(r"package:[A-Za-z0-9][\w.\-]*", re.ASCII)


class ServiceSettings(Table):
    """The HTTP service."""

    host: str = Field("127.0.0.1", min_length=1)
    """Address to listen on. One that other machines can reach demands `keys` and every `default_allow`."""
    port: int = Field(8080, ge=0, le=65535)
    """Port to listen on; 0 takes a free one."""
    keys: Literal["auto", "required", "open"] = "auto"
    """Whether an API key is needed. "auto": open only on a loopback address, for one tenant, until a key is issued."""
    deadline_s: float = Field(30, gt=0, le=600)
    """Most seconds that a request may take."""
    body_limit_kb: int = Field(256, ge=1, le=65536)
    """Largest request body, in units of 1024 bytes; at the edge too."""

    @property
    def limits_kb(self) -> tuple[int, int]:
        """Of a body, and of a document's; 0: no other."""
        return self.body_limit_kb, 0


class BuildSettings(Table):
    """How documents are read."""

    workers: int = Field(0, ge=0, le=256)
    """Processes that parse files; 0: one for each CPU."""
    file_timeout_s: float = Field(60, gt=0)
    """Most seconds for parsing one file, of a long PDF for every 250 pages; one that takes longer is quarantined."""
    file_memory_mb: int = Field(1536, ge=64)
    """Most memory for parsing one file, in units of 1024 * 1024 bytes; one that takes more is quarantined."""
    file_limit_mb: int = Field(100, ge=1)
    """Largest file that is read, in units of 1024 * 1024 bytes; larger ones are quarantined."""
    keep_revisions: int = Field(3, ge=1)
    """Revisions kept for rollback, the live one included; older ones are removed from the disk."""


class AnswerSettings(Table):
    """How questions are answered."""

    top_k: int = Field(5, ge=1, le=50)
    """Most passages that an answer is made from."""
    similarity_threshold: Literal["fitted"] | Share = "fitted"
    """Least cosine of question and passage; below it the documents do not say. "fitted": chosen for each recipe."""
    chunks_per_document: int = Field(3, ge=1, le=50)
    """Most passages from one document."""
    unsupported: Literal["remove", "mark"] = "remove"
    """What happens to a statement that its citation does not support."""

    @field_validator("similarity_threshold", mode="before")
    @classmethod
    def _is_threshold(cls, value: Any) -> Any:
        number = isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 1
        if value != "fitted" and not number:
            raise ValueError('must be "fitted" or a number from 0 to 1.')
        return value


class EncoderSettings(Table):
    """The model that turns text into vectors."""

    base: str = "auto"
    """"auto" (by the documents' language), "none" (lexical only), a hub id, a folder, or "package:NAME"."""
    sha256: str = Field("", pattern=r"^([0-9a-f]{64})?$")
    """Digest of the weights file; other weights are refused. Empty: only the built-in defaults are checked."""
    max_tokens: int = Field(0, ge=0, le=8192)
    """Most tokens of a chunk; 0: as many as the encoder was trained to read."""

    @field_validator("base")
    @classmethod
    def _is_base(cls, value: str, info: ValidationInfo) -> str:
        if value in ("auto", "none") or _PACKAGE.fullmatch(value):
            return value
        folder = anchored(Path(value), info)
        if value.startswith((".", "/", "~")) or (value and folder.is_dir()):
            return str(folder)
        if _HUB_ID.fullmatch(value):
            return value
        raise ValueError('must be "auto", "none", a hub id (owner/name), an existing folder or "package:NAME".')


class SourceSettings(Table):
    """A folder of documents."""

    path: Folder = Field(examples=["docs"])
    """The folder."""
    name: str = ""
    """Prefix of its documents' URIs. Empty: no prefix for a single source, the folder's name among several."""
    include: Patterns = ()
    """Patterns of files to read, like "**/*.md". Empty: every file whose format is known."""
    exclude: Patterns = ()
    """Patterns of files to leave out; they win over `include`."""
    allow: Principals = ()
    """Who may read its documents that no rule matches. Empty: `default_allow` of the knowledge base."""

    @field_validator("name")
    @classmethod
    def _is_name(cls, value: str) -> str:
        return named("source", value) if value else value


class RuleSettings(Table):
    """Who may read the documents that match. Of several rules that match, the first decides."""

    match: Pattern = Field(examples=["hr/**"])
    """Pattern of document URIs."""
    allow: Principals = Field(min_length=1, examples=[["group:hr"]])
    """Who may read them: `public`, `user:NAME`, `group:NAME`, `service:NAME`."""
    metadata: dict[str, Texts] = Field({}, examples=[{"tags": ["confidential"]}])
    """Names and values that a document's own metadata must have. Such a rule only narrows what the others grant."""


class ChunkingSettings(Table):
    """How the documents that match are cut. Of several that match, the first decides; by heading, if none does."""

    match: Pattern = Field(examples=["law/**"])
    """Pattern of document URIs."""
    chunker: Literal["heading", "fixed", "sentence_window", "parent_child", "rows", "qa", "statute", "code"] = Field(
        examples=["statute"]
    )
    """What decides where they are cut. `jargonaut chunks --measure` compares all on your documents."""
    max_tokens: int = Field(0, ge=0, le=8192)
    """Most tokens of a chunk. 0: what suits the chunker; never more than the encoder reads."""
    overlap: int = Field(0, ge=0, le=8192)
    """Of "fixed" only: tokens that neighbours share, at most half of a chunk. 0: 32."""
    parent_tokens: int = Field(0, ge=0, le=32768)
    """Of "parent_child" and "sentence_window" only: about how many tokens are answered from. 0: 512 and 256."""

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.overlap and self.chunker != "fixed":
            raise ValueError(f'`overlap` is for chunker = "fixed" only, not "{self.chunker}".')
        if self.parent_tokens and self.chunker not in ("parent_child", "sentence_window"):
            raise ValueError(f'`parent_tokens` is for "parent_child" and "sentence_window", not "{self.chunker}".')
        if 0 < self.max_tokens < LEAST_TOKENS:
            raise ValueError(f"`max_tokens` must be 0, or at least {LEAST_TOKENS}.")
        return self


class KnowledgeBaseSettings(Table):
    """A knowledge base. Its name is the `model` that clients ask."""

    name: str = Field(examples=["handbook"])
    """Letters and digits of any script, `.`, `_`, `-`."""
    tenant: str = DEFAULT_TENANT
    """Whose it is. API keys belong to a tenant."""
    default_allow: Principals = Field((PUBLIC,), min_length=1)
    """Who may read a document that no rule matches."""
    sources: Annotated[tuple[SourceSettings, ...], Strict(False)] = Field(min_length=1)
    """Folders of documents."""
    rules: Annotated[tuple[RuleSettings, ...], Strict(False)] = ()
    """Who may read which documents."""
    chunking: Annotated[tuple[ChunkingSettings, ...], Strict(False)] = ()
    """How which documents are cut."""
    answer: AnswerSettings = Field(default_factory=AnswerSettings)
    """As `[answer]`, for this knowledge base only."""
    encoder: EncoderSettings = Field(default_factory=EncoderSettings)
    """As `[encoder]`, for this knowledge base only."""
    tuning: TuningSettings = Field(default_factory=TuningSettings)
    """As `[tuning]`, for this knowledge base only."""

    @field_validator("name", "tenant")
    @classmethod
    def _is_name(cls, value: str, info: ValidationInfo) -> str:
        return named("knowledge base" if info.field_name == "name" else "tenant", value)

    @field_validator("sources")
    @classmethod
    def _named_apart(cls, sources: tuple[SourceSettings, ...]) -> tuple[SourceSettings, ...]:
        if len(sources) == 1:
            return sources
        named = [source.name or _name_of(source.path) for source in sources]
        twice = sorted({name for name in named if named.count(name) > 1})
        if twice:
            raise ValueError(f"has two folders named `{twice[0]}`: give each its own `name`.")
        return tuple(source.model_copy(update={"name": name}) for source, name in zip(sources, named, strict=True))


class Settings(Table):
    """Settings of Jargonaut."""

    service: ServiceSettings = Field(default_factory=ServiceSettings)
    """The HTTP service."""
    tokens: TokenSettings = Field(default_factory=TokenSettings)
    """Tokens of an identity provider, beside API keys."""
    edge: EdgeSettings = Field(default_factory=EdgeSettings)
    """The edge before the service."""
    cloudflare: CloudflareSettings = Field(default_factory=CloudflareSettings)
    """Where `jargonaut edge deploy` puts the edge."""
    build: BuildSettings = Field(default_factory=BuildSettings)
    """How documents are read."""
    index: IndexSettings = Field(default_factory=IndexSettings)
    """Where the index lies."""
    answer: AnswerSettings = Field(default_factory=AnswerSettings)
    """How questions are answered."""
    encoder: EncoderSettings = Field(default_factory=EncoderSettings)
    """The model that turns text into vectors."""
    tuning: TuningSettings = Field(default_factory=TuningSettings)
    """Fitting the encoder to the documents."""
    gate: GateSettings = Field(default_factory=GateSettings)
    """When a recipe may replace the live one."""
    knowledge_bases: Annotated[tuple[KnowledgeBaseSettings, ...], Strict(False)] = Field(min_length=1)
    """One or several."""

    @field_validator("knowledge_bases")
    @classmethod
    def _differ(cls, bases: tuple[KnowledgeBaseSettings, ...]) -> tuple[KnowledgeBaseSettings, ...]:
        scopes = [(base.tenant, base.name) for base in bases]
        twice = sorted({name for tenant, name in scopes if scopes.count((tenant, name)) > 1})
        if twice:
            raise ValueError(f"has two knowledge bases named `{twice[0]}` of the same tenant.")
        return bases

    @model_validator(mode="after")
    def _tokens_belong_to_somebody(self) -> Self:
        tenants = sorted({base.tenant for base in self.knowledge_bases})
        if self.tokens.issuer and not self.tokens.tenant_claim and self.tokens.tenant not in tenants:
            raise ValueError(f"`tenant` in [tokens] is `{self.tokens.tenant}`, and there are {', '.join(tenants)}.")
        return self

    @model_validator(mode="after")
    def _open_to_one_tenant(self) -> Self:
        tenants = sorted({base.tenant for base in self.knowledge_bases})
        if self.service.keys == "open" and len(tenants) > 1:
            raise ValueError(
                f'keys = "open" in [service] is for one tenant, and there are {", ".join(tenants)}: '
                'a request without a key belongs to none of them. Set keys = "required".'
            )
        return self

    @model_validator(mode="after")
    def _exposed_on_purpose(self) -> Self:
        if is_loopback(self.service.host):
            return self
        missing = [] if self.service.keys != "auto" else ['keys = "required" in [service]']
        missing += [
            f"default_allow of `{kb.name}`" for kb in self.knowledge_bases if "default_allow" not in kb.model_fields_set
        ]
        if missing:
            raise ValueError(
                f"`{self.service.host}` can be reached by other machines, and any other bind than loopback demands "
                f"an explicit default: set {', '.join(missing)}."
            )
        return self


def load_settings(path: Path) -> Settings:
    """Read a settings file.

    Raises:
        SettingsError: It cannot be read, or says something that cannot be; with the file, the line and what is wrong.
    """
    file = read_toml(path)
    try:
        settings = Settings.model_validate(file.data, context={"folder": path.resolve().parent})
    except ValidationError as error:
        raise explain(error, file, Settings) from None
    bases = tuple(_with_defaults_of(settings, base) for base in settings.knowledge_bases)
    return settings.model_copy(update={"knowledge_bases": bases})


def settings_for_folder(folder: Path) -> Settings:
    """Settings for a folder without a settings file: one knowledge base, named after the folder, all defaults."""
    source = SourceSettings(path=folder.resolve())
    return Settings(knowledge_bases=(KnowledgeBaseSettings(name=_name_of(source.path), sources=(source,)),))


def listening_on(settings: Settings, host: str | None = None, port: int | None = None) -> Settings:
    """`settings` with another address, checked like one in the file.

    Raises:
        SettingsError: Other machines could reach it, and the settings do not say on purpose who may read what.
    """
    changed = {key: value for key, value in (("host", host), ("port", port)) if value is not None}
    service = settings.service.model_dump(exclude_unset=True) | changed
    try:
        return Settings.model_validate(
            {key: getattr(settings, key) for key in settings.model_fields_set} | {"service": service}
        )
    except ValidationError as error:
        raise explain(error, None, Settings) from None


def home_for(start: Path) -> Path:
    """Where indexes, releases and state are kept.

    `JARGONAUT_HOME` if it is set; `.jargonaut` beside a settings file; for a bare folder a folder of its own under
    `XDG_DATA_HOME` (`~/.local/share`), so that the documents' folder is never written to.

    Args:
        start: A settings file (`*.toml`), or a folder of documents.
    """
    if chosen := os.environ.get("JARGONAUT_HOME"):
        return Path(chosen).expanduser().resolve()
    start = start.resolve()
    if start.suffix == ".toml" or start.is_file():
        return start.parent / ".jargonaut"
    data = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    return data / "jargonaut" / f"{_name_of(start)}-{digest_of(str(start))[:8]}"


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach `host`."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def example_toml(name: str = "handbook", path: str = "docs") -> str:
    """A settings file for one folder, with every key, its meaning and its default."""
    return commented_example(Settings, {"name": name, "path": path})


def json_schema() -> dict[str, Any]:
    """JSON schema of the settings file."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Settings.model_json_schema()}


Kind = TypeVar("Kind", bound=Table)


def _with_defaults_of(settings: Settings, base: KnowledgeBaseSettings) -> KnowledgeBaseSettings:
    def merged(default: Kind, own: Kind) -> Kind:
        return default.model_copy(update={key: getattr(own, key) for key in own.model_fields_set})

    return base.model_copy(
        update={
            "answer": merged(settings.answer, base.answer),
            "encoder": merged(settings.encoder, base.encoder),
            "tuning": merged(settings.tuning, base.tuning),
        }
    )


def _name_of(folder: Path) -> str:
    """A name for what is in `folder`: its own, with what a name cannot hold replaced by `-`."""
    name = re.sub(r"[^\w.\-]+", "-", unicodedata.normalize("NFC", folder.name))
    return name.strip("-.")[:63].rstrip("-.") or "documents"
