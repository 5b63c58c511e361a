import asyncio
import threading
from dataclasses import replace

import httpx
import openai
import pytest

from jargonaut.core.errors import IntegrityError
from tests.answering.handbook import PAGES, Handbook, changed
from tests.serving.conftest import serving

QUESTION = "How is a faulty deployment rolled back?"
NEW = changed(PAGES, "ops/deploy.md", {"Rolling back": "A faulty deployment is rolled back by calling 555-0199."})


def ask(client, model="handbook"):
    messages = [{"role": "user", "content": QUESTION}]
    return client.post("/v1/chat/completions", json={"model": model, "messages": messages})


@pytest.fixture
def handbook(tmp_path):
    handbook = Handbook(tmp_path)
    handbook.promote(handbook.build())
    return handbook


class Gate:
    """Loads releases, but holds back the second one until it is let through, or fails it."""

    def __init__(self, handbook):
        self._handbook = handbook
        self._first = handbook.registry.names("releases")[0]
        self.asked = threading.Event()
        self.open = threading.Event()
        self.error = None

    async def load(self, scope, release_id):
        if release_id != self._first:
            self.asked.set()
            await asyncio.to_thread(self.open.wait, 20)
            if self.error:
                raise self.error
        return await self._handbook.load(scope, release_id)


def test_a_promotion_switches_without_a_gap(handbook):
    gate = Gate(handbook)
    with serving(handbook, load=gate.load) as running, running.http() as client:
        before = ask(client)
        handbook.promote(handbook.build(NEW))
        during = ask(client)
        assert gate.asked.wait(10)
        gate.open.set()
        while "555-0199" not in (after := ask(client)).text:
            assert after.status_code == 200
    assert "deploy rollback" in before.text
    assert before.headers["x-jargonaut-store"] == "yes"
    assert "deploy rollback" in during.text, "the old release answers until the new one is loaded"
    assert during.headers["x-jargonaut-store"] == "no", "an answer of the old release is not kept under the new one"
    assert during.headers["x-jargonaut-generation"] == after.headers["x-jargonaut-generation"] == "2"
    assert after.headers["x-jargonaut-store"] == "yes"
    assert after.headers["x-jargonaut-release"] != before.headers["x-jargonaut-release"]


def test_a_delete_holds_for_the_old_release_while_the_new_one_is_loaded(handbook):
    gate = Gate(handbook)
    with serving(handbook, load=gate.load) as running, running.http("writer") as client:
        ask(client)
        handbook.promote(handbook.build(NEW))
        assert client.delete("/v1/documents/ops/deploy.md").status_code == 200
        assert "rollback" not in ask(client).text
        gate.open.set()


def test_a_release_that_cannot_be_loaded_leaves_the_old_one_serving(handbook, caplog):
    gate = Gate(handbook)
    gate.error = IntegrityError("the index of revision 7 is damaged")
    gate.open.set()
    with serving(handbook, load=gate.load) as running, running.http() as client:
        ask(client)
        handbook.promote(handbook.build(NEW))
        assert "deploy rollback" in ask(client).text
        assert gate.asked.wait(10)
        assert "deploy rollback" in ask(client).text
        assert client.get("/readyz").status_code == 200
    assert "the index of revision 7 is damaged" in caplog.text


def test_the_service_follows_promotions_although_nobody_asks(handbook):
    gate = Gate(handbook)
    gate.open.set()
    with serving(handbook, load=gate.load):
        handbook.promote(handbook.build(NEW))
        assert gate.asked.wait(10)


def test_it_is_ready_when_every_live_release_is_loaded(tmp_path):
    handbook = Handbook(tmp_path)
    release = handbook.build()
    waiting = threading.Event()

    async def load(scope, release_id):
        await asyncio.to_thread(waiting.wait, 20)
        return await handbook.load(scope, release_id)

    with serving(handbook, load=load) as running:
        ready = httpx.get(running.url + "/readyz")
        assert ready.status_code == 503
        assert ready.json()["missing"] == {"default/handbook": "it has no live release yet"}
        assert ready.json()["error"]["code"] == "not_ready"
        with running.sdk() as client, pytest.raises(openai.InternalServerError, match="not available"):
            client.chat.completions.create(model="handbook", messages=[{"role": "user", "content": QUESTION}])
        handbook.promote(release)
        assert httpx.get(running.url + "/readyz").json()["missing"] == {
            "default/handbook": "its live release is being loaded"
        }
        assert httpx.get(running.url + "/healthz").json() == {"status": "ok"}
        waiting.set()
        with running.http() as client:
            assert "deploy rollback" in ask(client).text, "the first request waits until it is loaded"
        assert httpx.get(running.url + "/readyz").json() == {"status": "ready"}


def test_a_damaged_live_release_is_said_and_is_tried_again(handbook, monkeypatch):
    monkeypatch.setattr("jargonaut.serving.release_loader.RETRY_S", 0.0)
    broken = threading.Event()

    async def load(scope, release_id):
        if not broken.is_set():
            raise IntegrityError("damaged")
        return await handbook.load(scope, release_id)

    with serving(handbook, load=load) as running, running.http() as client:
        assert ask(client).status_code == 503
        broken.set()
        assert ask(client).status_code == 200


def test_canary_and_live_are_served_side_by_side(handbook):
    handbook.recipe = replace(handbook.recipe, label="candidate")
    handbook.promote(handbook.build(NEW), "canary")
    with serving(handbook) as running, running.http() as client:
        assert "deploy rollback" in ask(client).text
        canary = ask(client, "handbook@canary")
        listed = client.get("/v1/models").json()["data"]
        one = client.get("/v1/models/handbook@canary").json()
    assert "555-0199" in canary.text
    assert canary.headers["x-jargonaut-channel"] == "canary"
    assert [model["id"] for model in listed] == ["handbook", "handbook@canary"]
    assert one == listed[1]
    assert one["release"] == canary.headers["x-jargonaut-release"]
    assert one["owned_by"] == "default"


def test_the_sdk_lists_models(service):
    with service.sdk() as client:
        assert [model.id for model in client.models.list()] == ["handbook"]
        assert client.models.retrieve("handbook").created > 1_700_000_000
        with pytest.raises(openai.NotFoundError):
            client.models.retrieve("gpt-4")
