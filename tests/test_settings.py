"""`jargonaut.toml`: what it means, what is refused, and how that is said."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest
from pydantic import BaseModel

from jargonaut.core.errors import SettingsError
from jargonaut.core.scope import Scope
from jargonaut.settings import (
    Settings,
    example_toml,
    home_for,
    is_loopback,
    json_schema,
    listening_on,
    load_settings,
    settings_for_folder,
)

BASE = '[[knowledge_bases]]\nname = "handbook"\nsources = [{path = "docs"}]\n'


def load(folder: Path, text: str) -> Settings:
    path = folder / "jargonaut.toml"
    path.write_text(text, encoding="utf-8")
    return load_settings(path)


def refusal(folder: Path, text: str) -> str:
    with pytest.raises(SettingsError) as caught:
        load(folder, text)
    message = str(caught.value)
    assert "pydantic" not in message
    return message.replace(f"{folder / 'jargonaut.toml'}", "FILE")


def test_only_knowledge_bases_are_needed(tmp_path: Path) -> None:
    settings = load(tmp_path, BASE)
    (base,) = settings.knowledge_bases
    assert (settings.service.host, settings.service.port, settings.edge.port) == ("127.0.0.1", 8080, 8788)
    assert (base.name, base.tenant, base.default_allow) == ("handbook", "default", ("public",))
    assert base.sources[0].path == tmp_path / "docs"


def test_several_knowledge_bases_with_their_own_tables(tmp_path: Path) -> None:
    settings = load(
        tmp_path,
        """
        answer.top_k = 7
        answer.similarity_threshold = 0.75
        encoder.base = "BAAI/bge-m3"
        [[knowledge_bases]]
        name = "handbook"
        default_allow = ["group:staff"]
        sources = [{ path = "a", include = ["**/*.md"] }, { path = "../b" }]
        [[knowledge_bases.rules]]
        match = "hr/**"
        allow = ["user:zoe", "group:hr"]
        [knowledge_bases.answer]
        top_k = 2
        [[knowledge_bases]]
        name = "手册"
        [[knowledge_bases.sources]]
        path = "/srv/手册 2"
        """,
    )
    handbook, chinese = settings.knowledge_bases
    assert [source.name for source in handbook.sources] == ["a", "b"]
    assert handbook.sources[1].path == tmp_path.parent / "b"
    assert handbook.rules[0].allow == ("group:hr", "user:zoe")
    assert (handbook.answer.top_k, handbook.answer.similarity_threshold) == (2, 0.75)
    assert (chinese.answer.top_k, chinese.encoder.base) == (7, "BAAI/bge-m3")
    assert chinese.sources[0].path == Path("/srv/手册 2")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[service]\nprot = 1\n", "FILE, line 2: [service] has no key `prot`. Did you mean `port`?"),
        ("[servcie]\nport = 1\n", "FILE, line 1: There is no `servcie`. Did you mean `service`?"),
        ('[service]\nport = "1"\n', 'FILE, line 2: [service] `port` must be a whole number, not "1".'),
        ("[service]\nport = true\n", "FILE, line 2: [service] `port` must be a whole number, not true."),
        ("[service]\nport = 65536\n", "FILE, line 2: [service] `port` must be at most 65535, not 65536."),
        ('[service]\nkeys = "requird"\n', 'not "requird". Did you mean "required"?'),
        ("[answer]\nsimilarity_threshold = 1.5\n", '`similarity_threshold` must be "fitted" or a number from 0 to 1.'),
        ('[encoder]\nbase = "minilm"\n', "FILE, line 2: [encoder] `base` must be"),
        ('[encoder]\nsha256 = "53AA"\n', "[encoder] `sha256` must be 64 hexadecimal digits in lower case"),
        ("service = 3\n", "FILE, line 1: [service] must be a table, not 3."),
        ("[gate]\nlevel = 0\n", "FILE, line 2: [gate] `level` must be above 0, not 0."),
    ],
)
def test_what_is_wrong_is_said_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    assert said in refusal(tmp_path, text + BASE)


def test_a_mistake_in_the_second_of_several_tables_is_found_there(tmp_path: Path) -> None:
    message = refusal(
        tmp_path,
        BASE + '[[knowledge_bases.rules]]\nmatch = "a"\nallow = ["public"]\n'
        '[[knowledge_bases.rules]]\nmatch = "b"\nallow = ["hr"]\n[[knowledge_bases]]\nname = "x"\n',
    )
    assert message.splitlines()[:2] == [
        "FILE, line 9: [[knowledge_bases.rules]] `allow`: `hr` is not a principal. "
        "Write `public`, `user:NAME`, `group:NAME` or `service:NAME`.",
        "FILE, line 10: [[knowledge_bases.sources]] is missing.",
    ]


def test_every_mistake_is_said_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    message = refusal(tmp_path, "[service]\nport = -1\nhots = 1\n[edge]\nttl_s = 1.5\n" + BASE)
    assert [line.split(":")[0] for line in message.splitlines()[:-1]] == [f"FILE, line {n}" for n in (2, 3, 5)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[knowledge_bases]]\nsources = [{path = 'a'}]\n", "FILE, line 1: [[knowledge_bases]] `name` is missing."),
        ("", "FILE: [[knowledge_bases]] is missing."),
        (BASE.replace("handbook", "a/b"), "`a/b` cannot be the name of a knowledge base."),
        (
            BASE.replace('"docs"', '"docs", exclude = ["a/../b"]'),
            "`exclude`: `a/../b` is not a pattern of paths",
        ),
        (BASE + BASE, "two knowledge bases named `handbook`"),
        (BASE.replace('"docs"}', '"x/docs"}, {path = "y/docs"}'), "two folders named `docs`"),
        (BASE + "default_allow = []\n", "FILE, line 4: [[knowledge_bases]] `default_allow` must be a list that is not"),
        ("[service]\nport = \n", "FILE, line 2: this is not TOML"),
        ('[service]\nhost = "', "this is not TOML"),
    ],
)
def test_a_file_that_makes_no_sense(tmp_path: Path, text: str, said: str) -> None:
    assert said in refusal(tmp_path, text)


def test_a_secret_in_place_of_a_variable_is_refused_and_not_repeated(tmp_path: Path) -> None:
    message = refusal(tmp_path, '[edge]\nsecret_env = "s3cr3t-value!"\n' + BASE)
    assert "must be the name of an environment variable" in message
    assert "s3cr3t" not in message


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="There is no settings file"):
        load_settings(tmp_path / "none.toml")
    with pytest.raises(SettingsError, match="cannot be read"):
        load_settings(tmp_path)
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b'name = "\xff"')
    with pytest.raises(SettingsError, match="not UTF-8"):
        load_settings(binary)


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    assert load(tmp_path, "\ufeff" + BASE).knowledge_bases[0].name == "handbook"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "gateway.example"])
def test_a_bind_that_others_reach_demands_explicit_defaults(tmp_path: Path, host: str) -> None:
    message = refusal(tmp_path, f'[service]\nhost = "{host}"\n{BASE}')
    assert "any other bind than loopback demands an explicit default" in message
    assert 'keys = "required" in [service], default_allow of `handbook`' in message
    assert "default_allow" in refusal(tmp_path, f'[service]\nhost = "{host}"\nkeys = "required"\n{BASE}')
    explicit = f'[service]\nhost = "{host}"\nkeys = "required"\n{BASE}default_allow = ["group:staff"]\n'
    assert load(tmp_path, explicit).service.host == host


def test_without_keys_there_is_one_tenant(tmp_path: Path) -> None:
    two = f'{BASE}[[knowledge_bases]]\nname = "other"\ntenant = "acme"\nsources = [{{path = "docs"}}]\n'
    message = refusal(tmp_path, f'[service]\nkeys = "open"\n{two}')
    assert "for one tenant, and there are acme, default" in message
    assert 'Set keys = "required"' in message
    assert len(load(tmp_path, f'[service]\nkeys = "required"\n{two}').knowledge_bases) == 2


def test_an_address_from_the_command_line_is_checked_alike(tmp_path: Path) -> None:
    implicit = settings_for_folder(tmp_path)
    assert listening_on(implicit, "127.0.0.2", 0).service.port == 0
    assert listening_on(implicit).service == implicit.service
    with pytest.raises(SettingsError, match="explicit default"):
        listening_on(implicit, "0.0.0.0")
    with pytest.raises(SettingsError, match="at most 65535"):
        listening_on(implicit, port=70000)
    explicit = load(
        tmp_path, f'[service]\nkeys = "open"\n{BASE}default_allow = ["public"]\n[knowledge_bases.answer]\ntop_k = 2\n'
    )
    moved = listening_on(explicit, "0.0.0.0")
    assert moved.service.host == "0.0.0.0"
    assert moved.knowledge_bases == explicit.knowledge_bases


@pytest.mark.parametrize(("host", "loopback"), [("localhost", True), ("127.9.9.9", True), ("::1", True), ("::", False)])
def test_loopback(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("handbook", "handbook"),
        ("My Docs (2024)", "My-Docs-2024"),
        ("操作手册 第2版", "操作手册-第2版"),
        ("...", "documents"),
        ("x" * 80, "x" * 63),
    ],
)
def test_a_knowledge_base_is_named_after_its_folder(tmp_path: Path, folder: str, name: str) -> None:
    (base,) = settings_for_folder(tmp_path / folder).knowledge_bases
    assert base.name == name
    Scope(base.tenant, base.name)
    assert base.sources[0].path == tmp_path / folder


def test_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JARGONAUT_HOME", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert home_for(tmp_path / "jargonaut.toml") == tmp_path / ".jargonaut"
    home = home_for(tmp_path / "My Docs")
    assert home.parent == tmp_path / "data" / "jargonaut"
    assert re.fullmatch(r"My-Docs-[0-9a-f]{8}", home.name)
    assert home_for(tmp_path / "x" / "My Docs") != home
    monkeypatch.chdir(tmp_path)
    assert home_for(Path("My Docs")) == home
    monkeypatch.setenv("JARGONAUT_HOME", str(tmp_path / "elsewhere"))
    assert home_for(tmp_path) == tmp_path / "elsewhere"


def test_an_encoder_folder_is_relative_to_the_file(tmp_path: Path) -> None:
    (tmp_path / "models" / "ours").mkdir(parents=True)
    assert load(tmp_path, f'encoder.base = "models/ours"\n{BASE}').encoder.base == str(tmp_path / "models" / "ours")
    assert load(tmp_path, f'encoder.base = "models/other"\n{BASE}').encoder.base == "models/other"
    assert load(tmp_path, f'encoder.base = "package:a-model"\n{BASE}').encoder.base == "package:a-model"
    assert load(tmp_path, f'tuning.labels = "l.jsonl"\n{BASE}').tuning.labels == str(tmp_path / "l.jsonl")


@pytest.mark.parametrize(
    ("index", "says"),
    [
        ('engine = "elastic"', 'must be "lance", "elasticsearch" or "opensearch"'),
        ('engine = "elasticsearch"', 'engine = "elasticsearch" needs `urls`'),
        ('engine = "opensearch"\nurls = ["host:9200"]', "is not the address of a server"),
        ('urls = ["https://ha-cn-x.public.ha.aliyuncs.com"]', "Alibaba Cloud's own OpenSearch"),
        ('urls = ["https://me:secret@host"]', "`password_env`"),
        ('password_env = "it is $ecret"', "not the secret itself"),
        ('user = "me"', "belong together"),
        ('engine = "opensearch"\nurls = ["http://host"]\nvectors = "bbq"', 'vectors = "float" and "int8"'),
        ('prefix = "Mine"', "lower-case letters"),
        ("shards = 0", "at least 1"),
        ('url = "http://host"', "Did you mean `urls`?"),
    ],
)
def test_what_index_does_not_take(tmp_path: Path, index: str, says: str) -> None:
    message = refusal(tmp_path, f"[index]\n{index}\n{BASE}")
    assert says in message
    assert "FILE, line 1" in message or "FILE, line 2" in message or "FILE, line 3" in message or "line 4" in message


def test_secrets_of_index_come_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = f'[index]\nengine = "elasticsearch"\nurls = ["https://a:9200/", "https://b:9200"]\nuser = "me"\nEXTRA{BASE}'
    settings = load(tmp_path, text.replace("EXTRA", 'password_env = "INDEX_PASSWORD"\nca_file = "ca.pem"\n')).index
    monkeypatch.delenv("INDEX_PASSWORD", raising=False)
    with pytest.raises(SettingsError, match="INDEX_PASSWORD"):
        _ = settings.access
    monkeypatch.setenv("INDEX_PASSWORD", "s3cret")
    access = settings.access
    assert (access.urls, access.user, access.password) == (("https://a:9200", "https://b:9200"), "me", "s3cret")
    assert access.ca_file == str(tmp_path / "ca.pem")
    assert "s3cret" not in repr(access)


def test_the_example_is_valid_as_written_and_says_every_key(tmp_path: Path) -> None:
    text = example_toml("手册", "my docs")
    settings = load(tmp_path, text)
    assert settings.knowledge_bases[0].name == "手册"
    assert settings.model_copy(update={"knowledge_bases": ()}) == Settings.model_construct(knowledge_bases=())
    switched_on = re.sub(r"(?m)^#(?! )", "", text)
    everything = tomllib.loads(switched_on)
    assert load(tmp_path, switched_on).service == settings.service
    for name, field in Settings.model_fields.items():
        table = everything[name]
        model = field.annotation
        if isinstance(model, type) and issubclass(model, BaseModel):
            assert set(table) == set(model.model_fields)


def test_every_key_has_a_description() -> None:
    schema = json_schema()
    json.dumps(schema)
    for table in (schema, *schema["$defs"].values()):
        assert table["additionalProperties"] is False
        for key, described in table["properties"].items():
            described = schema["$defs"][described["$ref"].rsplit("/")[-1]] if "$ref" in described else described
            assert len(described["description"]) > 10, key


def test_settings_are_frozen(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="frozen"):
        settings_for_folder(tmp_path).service.port = 1
