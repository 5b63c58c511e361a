"""Whose knowledge bases are asked without a key: with one tenant it is clear, with several it is not."""

import httpx
import pytest

from jargonaut.cli.up import _who_may_ask
from jargonaut.core.errors import SettingsError
from jargonaut.services import create_service, signing_secret
from jargonaut.settings import load_settings
from jargonaut.state.keys import KeyRequest
from jargonaut.wiring import Workspace
from tests.command_line import CommandLine
from tests.serving.conftest import running

QUESTION = {"model": "kb", "messages": [{"role": "user", "content": "What is the pump greased with?"}]}


def workspace_of(folder, *tenants, more=""):
    (folder / "docs").mkdir(exist_ok=True)
    (folder / "docs" / "pump.md").write_text("# Pump\n\nThe pump is greased with lithium soap.\n")
    source = '[[knowledge_bases.sources]]\npath = "docs"\n'
    (folder / "jargonaut.toml").write_text(
        more
        + '[encoder]\nbase = "none"\n'
        + "".join(f'[[knowledge_bases]]\nname = "kb"\ntenant = "{name}"\n{source}' for name in tenants)
    )
    command_line = CommandLine(folder / "home")
    for name in tenants:
        command_line.run("build", "--config", folder / "jargonaut.toml", "--kb", f"{name}/kb")
    return Workspace(load_settings(folder / "jargonaut.toml"), folder / "home")


def test_of_the_only_tenant_is_who_has_no_key(tmp_path):
    workspace = workspace_of(tmp_path, "acme")
    assert "no API key is needed" in "".join(_who_may_ask(workspace))
    with running(create_service(workspace, "s")) as url:
        assert [model["id"] for model in httpx.get(f"{url}/v1/models", timeout=20).json()["data"]] == ["kb"]
        answer = httpx.post(f"{url}/v1/chat/completions", json=QUESTION, timeout=20).json()
    assert "lithium soap" in answer["choices"][0]["message"]["content"]


def test_of_several_tenants_one_needs_a_key(tmp_path):
    workspace = workspace_of(tmp_path, "acme", "globex")
    said = "\n".join(_who_may_ask(workspace))
    assert "an API key is needed" in said
    assert "`jargonaut keys issue NAME --tenant globex`" in said
    with running(create_service(workspace, "s")) as url:
        assert httpx.get(f"{url}/v1/models", timeout=20).status_code == 401
        key = workspace.keys.issue("globex", KeyRequest("ann")).secret
        headers = {"authorization": f"Bearer {key}"}
        answer = httpx.post(f"{url}/v1/chat/completions", json=QUESTION, headers=headers, timeout=20)
        assert answer.status_code == 200
    assert "globex" not in "\n".join(_who_may_ask(workspace))


def test_the_secret_of_the_edge_comes_from_where_the_settings_say(tmp_path, monkeypatch):
    settings = workspace_of(tmp_path, "acme", more='[edge]\nsecret_env = "MY_EDGE_SECRET"\n').settings
    monkeypatch.delenv("MY_EDGE_SECRET", raising=False)
    with pytest.raises(SettingsError, match=r"MY_EDGE_SECRET.*is not set"):
        signing_secret(settings)
    monkeypatch.setenv("MY_EDGE_SECRET", "of ours")
    assert signing_secret(settings) == "of ours"
    assert len(signing_secret(settings.model_copy(update={"edge": type(settings.edge)()}))) == 64
