import json
import threading

import httpx
import openai
import pytest

from jargonaut.core.errors import UnavailableError
from jargonaut.generation.port import Statement
from tests.answering.handbook import PAGES, Handbook, chunks_of
from tests.serving.conftest import serving

QUESTION = "What is the default of SESSION_COOKIE_AGE?"


def chat(question, **more):
    return {"model": "handbook", "messages": [{"role": "user", "content": question}], **more}


def test_the_sdk_gets_a_cited_answer(service):
    with service.sdk() as client:
        raw = client.chat.completions.with_raw_response.create(**chat(QUESTION))
    completion = raw.parse()
    message = completion.choices[0].message
    assert "1209600 seconds" in message.content
    assert "[1]" in message.content
    assert completion.choices[0].finish_reason == "stop"
    assert completion.model == "handbook"
    assert completion.usage.total_tokens == completion.usage.prompt_tokens + completion.usage.completion_tokens > 10
    citation = message.annotations[0].to_dict()
    assert citation["type"] == "document_citation"
    cited = citation["document_citation"]
    assert (cited["number"], cited["document"]) == (1, "ops/sessions.md")
    assert cited["heading_path"] == ["Sessions", "Session cookies"]
    text = chunks_of("ops/sessions.md", PAGES["ops/sessions.md"])[0].text
    assert text[cited["start"] : cited["end"]] == cited["quote"], "offsets are into the document's text"
    release = service.handbook.registry.names("releases")[0]
    assert completion.system_fingerprint == release
    headers = raw.headers
    assert headers["x-jargonaut-knowledge-base"] == "handbook"
    assert headers["x-jargonaut-channel"] == "live"
    assert headers["x-jargonaut-release"] == release
    assert headers["x-jargonaut-recipe"] == service.handbook.recipe.id
    assert headers["x-jargonaut-generation"] == "1" or headers["x-jargonaut-generation"] == "0"
    assert headers["x-jargonaut-store"] == "yes"
    assert headers["x-request-id"].startswith("req_")


def test_the_stream_says_the_same(service):
    with service.sdk() as client:
        whole = client.chat.completions.create(**chat(QUESTION))
        chunks = list(
            client.chat.completions.create(**chat(QUESTION), stream=True, stream_options={"include_usage": True})
        )
    deltas = [chunk.choices[0].delta for chunk in chunks if chunk.choices]
    assert deltas[0].role == "assistant"
    assert "".join(delta.content or "" for delta in deltas) == whole.choices[0].message.content
    annotations = [item for delta in deltas for item in delta.to_dict().get("annotations", [])]
    assert annotations == [item.to_dict() for item in whole.choices[0].message.annotations]
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "stop"
    assert chunks[-1].choices == []
    assert chunks[-1].usage == whole.usage
    assert all(chunk.usage is None for chunk in chunks[:-1])
    assert len({chunk.id for chunk in chunks}) == 1


def test_without_include_usage_the_stream_has_none_and_ends_with_done(service):
    with (
        service.http() as client,
        client.stream("POST", "/v1/chat/completions", json=chat(QUESTION, stream=True)) as got,
    ):
        lines = [line for line in got.iter_lines() if line]
    assert got.headers["content-type"].startswith("text/event-stream")
    assert got.headers["x-jargonaut-store"] == "yes"
    assert lines[-1] == "data: [DONE]"
    assert all("usage" not in json.loads(line.removeprefix("data: ")) for line in lines[:-1])


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Which colour has the managing director's parrot?", "The documents do not say."),
        ("董事长的鹦鹉是什么颜色？", "文档中没有说明。"),
        ("???", "The documents do not say."),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_the_documents_do_not_say(service, question, answer, stream):
    with service.http() as client:
        got = client.post("/v1/chat/completions", json=chat(question, stream=stream))
    assert got.status_code == 200
    assert got.headers["x-jargonaut-store"] == "no", "a document added later has to be found at once"
    assert answer in got.text
    assert "annotations" not in got.text if stream else got.json()["choices"][0]["message"]["annotations"] == []


def test_chinese_is_answered(service):
    answer = service.ask("备份文件保留多少天？")
    assert "备份文件在对象存储中保留三十天。" in answer


def test_two_keys_see_different_answers(service):
    question = "What is the yearly bonus of an engineer?"
    assert "7200 euros" in service.ask(question, "hr")
    assert "7200" not in service.ask(question, "reader")


def test_messages_in_parts_and_the_last_one_of_the_user_count(service):
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Which colour has the parrot?"},
        {"role": "assistant", "content": "The documents do not say."},
        {"role": "user", "content": [{"type": "text", "text": QUESTION}]},
    ]
    with service.sdk() as client:
        completion = client.chat.completions.create(model="handbook", messages=messages, temperature=0, max_tokens=50)
    assert "1209600" in completion.choices[0].message.content


def test_a_filter_narrows_what_is_answered_from(service):
    with service.http() as client:
        narrow = client.post("/v1/chat/completions", json=chat(QUESTION, filter={"uri": {"starts_with": "people/"}}))
        wide = client.post("/v1/chat/completions", json=chat(QUESTION, filter={"tags": "web"}))
    assert narrow.json()["choices"][0]["message"]["content"] == "The documents do not say."
    assert "1209600" in wide.json()["choices"][0]["message"]["content"]


def test_an_unknown_model_is_named_with_the_nearest(service):
    with service.sdk() as client, pytest.raises(openai.NotFoundError, match="Did you mean `handbook`") as raised:
        client.chat.completions.create(**chat(QUESTION) | {"model": "handbok"})
    assert raised.value.code == "not_found"
    assert raised.value.request_id.startswith("req_")


@pytest.mark.parametrize("selector", ["canary", "0" * 32, "../../x", ""])
def test_an_unknown_channel_or_release(service, selector):
    with service.http() as client:
        got = client.post("/v1/chat/completions", json=chat(QUESTION) | {"model": f"handbook@{selector}"})
    assert got.status_code == (404 if selector else 200)


def test_a_release_can_be_asked_by_its_id(service):
    release = service.handbook.registry.names("releases")[0]
    with service.http() as client:
        got = client.post("/v1/chat/completions", json=chat(QUESTION) | {"model": f"handbook@{release}"})
    assert "1209600" in got.text
    assert got.headers["x-jargonaut-channel"] == release


class SlowGenerator:
    """Says one true sentence, then waits until it is cancelled."""

    name = "slow"

    def __init__(self):
        self.waiting = threading.Event()
        self.stopped = threading.Event()

    async def generate(self, question, passages, deadline):
        import asyncio

        chunk = passages[0].chunk
        yield Statement(chunk.text, (1,), ((chunk.start, chunk.end),))
        self.waiting.set()
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            self.stopped.set()


@pytest.mark.parametrize("stream", [False, True])
def test_work_stops_when_the_client_goes_away(tmp_path, stream):
    handbook, generator = Handbook(tmp_path), SlowGenerator()
    handbook.promote(handbook.build())
    with serving(handbook, generator=generator) as running:
        with running.http() as client:
            if stream:
                with client.stream("POST", "/v1/chat/completions", json=chat(QUESTION, stream=True)) as got:
                    assert "data:" in next(got.iter_lines())
                    assert generator.waiting.wait(10)
            else:
                with pytest.raises(httpx.ReadTimeout):
                    client.post("/v1/chat/completions", json=chat(QUESTION), timeout=1)
        assert generator.waiting.is_set()
        assert generator.stopped.wait(10)


class FailingGenerator:
    """Fails, at once or after a sentence."""

    name = "failing"

    def __init__(self, error, said):
        self._error = error
        self._said = said

    async def generate(self, question, passages, deadline):
        if self._said:
            yield Statement(passages[0].chunk.text, (1,))
        raise self._error


def test_a_failure_before_the_first_statement_is_a_status(tmp_path, caplog):
    handbook = Handbook(tmp_path)
    handbook.promote(handbook.build())
    generator = FailingGenerator(UnavailableError("http://10.0.0.7 is down"), said=False)
    with serving(handbook, generator=generator) as running, running.http() as client:
        got = client.post("/v1/chat/completions", json=chat(QUESTION, stream=True))
    assert got.status_code == 503
    assert got.json()["error"]["type"] == "server_error"
    assert "10.0.0.7" not in got.text, "callers need not know our machines"
    assert got.headers["retry-after"] == "1"
    assert f"{got.headers['x-request-id']} UnavailableError: http://10.0.0.7 is down" in caplog.text


def test_a_failure_in_the_stream_is_said_in_it_and_it_is_not_complete(tmp_path):
    handbook = Handbook(tmp_path)
    handbook.promote(handbook.build())
    with serving(handbook, generator=FailingGenerator(UnavailableError("down"), True)) as running:
        with running.http() as client:
            got = client.post("/v1/chat/completions", json=chat(QUESTION, stream=True))
        with running.sdk() as client, pytest.raises(openai.APIError, match="not available"):
            list(client.chat.completions.create(**chat(QUESTION), stream=True))
    assert "[DONE]" not in got.text


def test_a_bug_is_a_500_in_our_shape(tmp_path, caplog):
    handbook = Handbook(tmp_path)
    handbook.promote(handbook.build())
    generator = FailingGenerator(ZeroDivisionError("oops"), False)
    with serving(handbook, generator=generator) as running, running.http() as client:
        got = client.post("/v1/chat/completions", json=chat(QUESTION))
        assert client.get("/healthz").status_code == 200
    assert got.status_code == 500
    assert got.json()["error"]["code"] == "internal_error"
    assert "oops" not in got.text
    assert got.headers["x-request-id"] in caplog.text
    assert "ZeroDivisionError" in caplog.text


def test_a_generator_that_invents_is_silenced(tmp_path):
    class Inventing:
        name = "inventing"

        async def generate(self, question, passages, deadline):
            yield Statement("The moon is made of green cheese.", (1,))
            yield Statement(passages[0].chunk.text, (99,))

    handbook = Handbook(tmp_path)
    handbook.promote(handbook.build())
    with serving(handbook, generator=Inventing()) as running, running.http() as client:
        got = client.post("/v1/chat/completions", json=chat(QUESTION))
    assert got.json()["choices"][0]["message"]["content"] == "The documents do not say."
    assert got.headers["x-jargonaut-store"] == "no"


def test_a_follow_up_is_understood_from_the_conversation(service):
    conversation = [
        {"role": "user", "content": "What is the default of SESSION_COOKIE_AGE?"},
        {"role": "assistant", "content": "1209600 seconds. [1]"},
        {"role": "user", "content": "And how long is that in weeks?"},
    ]
    with service.http() as client:
        got = client.post("/v1/chat/completions", json={"model": "handbook", "messages": conversation}).json()
        alone = client.post("/v1/chat/completions", json=chat("And how long is that in weeks?")).json()
    assert got["standalone_question"] == f"{conversation[0]['content']} {conversation[2]['content']}"
    assert "two weeks" in got["choices"][0]["message"]["content"]
    assert alone["standalone_question"] == "And how long is that in weeks?"


def test_an_earlier_question_does_not_lead_another_astray(service):
    conversation = [
        {"role": "user", "content": "Who decides the bonus of an engineer?"},
        {"role": "user", "content": "What is the default of SESSION_COOKIE_AGE?"},
    ]
    with service.http() as client:
        got = client.post("/v1/chat/completions", json={"model": "handbook", "messages": conversation}).json()
    assert got["standalone_question"] == conversation[1]["content"]
