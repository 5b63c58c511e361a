"""A model that the settings name, from the build to the answer."""

import httpx
import pytest

from jargonaut.answering.answer import ABSTENTION
from jargonaut.build import build
from jargonaut.core.progress import silent
from jargonaut.plans import build_plan, changed_recipe
from jargonaut.services import create_service
from jargonaut.settings import load_settings
from jargonaut.wiring import Workspace
from tests.generation.faulty_endpoint import Reply, endpoint, event, says
from tests.serving.conftest import running

SETTINGS = """
[encoder]
base = "none"

[generator]
instructions = "Be brief."
attempts = 1
fallback = "{fallback}"

[[generator.endpoints]]
url = "{url}"
model = "qwen"
{more}

[[knowledge_bases]]
name = "handbook"

[[knowledge_bases.sources]]
path = "docs"
"""
QUESTION = "How often is the pump P-200 oiled?"


def site(folder, url, more="", fallback="none"):
    (folder / "docs").mkdir(exist_ok=True)
    (folder / "docs" / "pumps.md").write_text("# Pumps\n\nThe pump P-200 is oiled every 30 days. Wear gloves.\n")
    (folder / "jargonaut.toml").write_text(SETTINGS.format(url=url, more=more, fallback=fallback))
    return Workspace(load_settings(folder / "jargonaut.toml"), folder / ".jargonaut")


def built(folder, url, **options):
    workspace = site(folder, url, **options)
    return workspace, build(build_plan(workspace.knowledge_base(), True, lambda text: None), silent)


def ask(url, **more):
    body = {"model": "handbook", "messages": [{"role": "user", "content": QUESTION}], **more}
    return httpx.post(f"{url}/v1/chat/completions", json=body, timeout=20)


def test_what_a_model_writes_is_checked_before_it_is_shown(tmp_path):
    answers = [
        says("Every 30 days the pump P-200 is oiled. [1] It is oiled every 300 days. [1] The moon is far. [1][7]"),
        says("Every 300 days the pump P-200 is oiled. [1]"),
        says("NO_ANSWER"),
    ]
    with endpoint(*answers) as model:
        workspace, result = built(tmp_path, model.url)
        assert (result.recipe.generator, result.recipe.prompt) == ("openai-1:qwen", "cited-1\nBe brief.")
        with running(create_service(workspace, "s")) as url:
            right, wrong, none = (ask(url).json() for _ in answers)
            figures = httpx.get(f"{url}/metrics").text
    message = right["choices"][0]["message"]
    assert message["content"] == "Every 30 days the pump P-200 is oiled. [1]"
    assert [item["document_citation"]["document"] for item in message["annotations"]] == ["pumps.md"]
    assert right["usage"] == {"prompt_tokens": 70, "completion_tokens": 9, "total_tokens": 79}
    for answer in (wrong, none):
        assert answer["choices"][0]["message"]["content"] == ABSTENTION
    assert "Be brief." in model.requests[0]["messages"][0]["content"]
    assert 'jargonaut_generator_attempts_total{model="qwen",outcome="answered"} 3.0' in figures
    assert 'jargonaut_generator_tokens_total{kind="prompt",model="qwen"} 210.0' in figures
    assert "jargonaut_unsupported_statements_total 3.0" in figures


def test_a_stream_that_breaks_off_does_not_end_in_order(tmp_path):
    broken = Reply([event("Every 30 days the pump P-200 is oiled. [1] Wear")], then="cut")
    with endpoint(broken) as model:
        workspace, _ = built(tmp_path, model.url, fallback="extractive")
        with running(create_service(workspace, "s")) as url:
            got = ask(url, stream=True)
    assert got.status_code == 200
    assert "Every 30 days" in got.text
    assert '"error"' in got.text
    assert "[DONE]" not in got.text


def test_without_a_model_it_is_quoted_or_fails(tmp_path):
    with endpoint(Reply(status=500, headers={"retry-after": "0"})) as model:
        workspace, result = built(tmp_path, model.url, fallback="extractive")
        assert result.recipe.generator == "openai-1:qwen > extractive-1"
        with running(create_service(workspace, "s")) as url:
            assert "every 30 days" in ask(url).json()["choices"][0]["message"]["content"]
        (tmp_path / "other").mkdir()
        workspace, _ = built(tmp_path / "other", model.url)
        with running(create_service(workspace, "s")) as url:
            failed = ask(url)
    assert failed.status_code == 503
    assert "qwen" not in failed.text, "what lies behind is for operators"


def test_a_key_that_is_not_set_is_named_in_the_log(tmp_path, monkeypatch, caplog):
    monkeypatch.delenv("QWEN_KEY", raising=False)
    with endpoint(says("x")) as model:
        workspace, _ = built(tmp_path, model.url, more='api_key_env = "QWEN_KEY"')
        with running(create_service(workspace, "s")) as url:
            assert ask(url).status_code == 503
    assert "QWEN_KEY" in caplog.text
    assert model.requests == []


def test_another_model_is_another_recipe(tmp_path):
    workspace, _ = built(tmp_path, "http://127.0.0.1:9/v1")
    assert changed_recipe(workspace.knowledge_base()) is None
    settings = tmp_path / "jargonaut.toml"
    settings.write_text(settings.read_text().replace('"qwen"', '"other"').replace("Be brief.", "Be long."))
    wanted = changed_recipe(Workspace(load_settings(settings), tmp_path / ".jargonaut").knowledge_base())
    assert (wanted.generator, wanted.prompt) == ("openai-1:other", "cited-1\nBe long.")
    with running(create_service(Workspace(load_settings(settings), tmp_path / ".jargonaut"), "s")) as url:
        assert ask(url).status_code == 503, "the live recipe's model is not in the settings any more"


@pytest.mark.parametrize(
    ("line", "says_what"),
    [
        ('url = "qwen.example"', "must be a URL"),
        ('url = "https://user:key@host/v1"', "must be a URL"),
        ('url = "http://h/v1"\napi_key_env = "sk-123"', "name of an environment variable"),
        ('url = "http://h/v1"\nauthorization = "basic"', "authorization"),
        ('url = "http://h/v1"\nstall_s = 0', "stall_s"),
    ],
)
def test_settings_that_cannot_be_are_refused(tmp_path, line, says_what):
    from jargonaut.core.errors import SettingsError

    (tmp_path / "docs").mkdir()
    text = SETTINGS.format(url="URL", more="", fallback="none").replace('url = "URL"', line)
    (tmp_path / "jargonaut.toml").write_text(text)
    with pytest.raises(SettingsError, match=says_what):
        load_settings(tmp_path / "jargonaut.toml")
