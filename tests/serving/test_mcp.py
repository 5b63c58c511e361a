"""Agents: the official SDK's client, over HTTP and over standard input and output."""

import asyncio
import json
import os
import sys
from contextlib import asynccontextmanager

import httpx
import pytest

pytest.importorskip("mcp", reason="the extra `mcp` is not installed")

import httpx2
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

from jargonaut.build import build
from jargonaut.core.progress import silent
from jargonaut.plans import build_plan
from jargonaut.settings import settings_for_folder
from jargonaut.wiring import Workspace
from tests.answering.handbook import Handbook
from tests.serving.conftest import serving


@asynccontextmanager
async def client(service, key="reader"):
    headers = {"authorization": f"Bearer {service.secrets[key]}"}
    async with (
        httpx2.AsyncClient(headers=headers) as http,
        Client(streamable_http_client(f"{service.url}/mcp", http_client=http)) as connected,
    ):
        yield connected


async def call(service, tool, key="reader", **arguments):
    async with client(service, key) as connected:
        return await connected.call_tool(tool, arguments)


async def test_an_agent_finds_the_tools(service):
    async with client(service) as connected:
        tools = {tool.name: tool for tool in (await connected.list_tools()).tools}
    assert set(tools) == {"search", "fetch", "ask"}
    assert all(tool.annotations.read_only_hint for tool in tools.values())
    assert tools["search"].input_schema["required"] == ["query"]


async def test_an_agent_searches_fetches_and_asks(service):
    found = await call(service, "search", query="session cookie age", top_k=2)
    assert not found.is_error
    first = found.structured_content["results"][0]
    assert json.loads(found.content[0].text) == found.structured_content, "for clients that read the text only"
    assert (first["title"], first["url"]) == ("Sessions", "ops/sessions.md")

    fetched = (await call(service, "fetch", id=first["id"])).structured_content
    assert "1209600 seconds" in fetched["text"]
    assert fetched["metadata"]["heading_path"] == ["Sessions", "Session cookies"]

    answer = (await call(service, "ask", question="What is the default of SESSION_COOKIE_AGE?")).structured_content
    assert answer["answered"] is True
    assert "1209600 seconds" in answer["answer"]
    assert "[1]" in answer["answer"]
    assert answer["citations"][0]["document"] == "ops/sessions.md"
    nothing = (await call(service, "ask", question="Who won the cup in 1966?")).structured_content
    assert (nothing["answered"], nothing["citations"]) == (False, [])


async def test_permissions_hold_for_every_tool(service):
    question = "yearly bonus of an engineer in euros"
    of_hr = (await call(service, "search", "hr", query=question)).structured_content["results"]
    secret = next(item for item in of_hr if item["url"] == "hr/salaries.md")
    of_reader = (await call(service, "search", query=question)).structured_content["results"]
    assert "7200" not in str(of_reader)
    assert "7200" in (await call(service, "fetch", "hr", id=secret["id"])).structured_content["text"]
    hidden, unknown = await call(service, "fetch", id=secret["id"]), await call(service, "fetch", id="f" * 24)
    assert hidden.is_error
    assert hidden.content[0].text.replace(secret["id"], "") == unknown.content[0].text.replace("f" * 24, "")
    assert "7200" in (await call(service, "ask", "hr", question=question)).structured_content["answer"]
    assert "7200" not in str((await call(service, "ask", question=question)).structured_content)


async def test_a_deleted_document_is_not_fetched(own):
    from jargonaut.state.knowledge_base import delete_documents

    found = (await call(own, "search", query="session cookie age")).structured_content["results"][0]
    assert not (await call(own, "fetch", id=found["id"])).is_error
    delete_documents(own.handbook.journal, own.handbook.scope, [found["url"]])
    assert (await call(own, "fetch", id=found["id"])).is_error


@pytest.mark.parametrize(
    ("tool", "arguments", "says"),
    [
        ("search", {}, "query: Field required"),
        ("search", {"query": " "}, "empty"),
        ("search", {"query": "x", "top_k": 0}, "top_k"),
        ("search", {"query": "x", "filter": {"colour": "red"}}, "Cannot filter on `colour`"),
        ("search", {"query": "x", "knowledge_base": "handbok"}, "Did you mean `handbook`"),
        ("fetch", {"id": "nope'; --"}, "no passage"),
        ("ask", {"question": "x" * 9000}, "9000 characters"),
        ("delete", {}, "no tool"),
    ],
)
async def test_what_cannot_be_done_is_said(service, tool, arguments, says):
    got = await call(service, tool, **arguments)
    assert got.is_error
    assert says in got.content[0].text


async def test_a_stranger_does_not_even_connect(service):
    with httpx.Client(base_url=service.url) as plain:
        got = plain.post("/mcp", json={"jsonrpc": "2.0", "id": 1, "method": "tools/list"})
    assert got.status_code == 401
    assert got.json()["error"]["type"] == "authentication_error"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"jsonrpc": "2.0"}', b"\xff\xfe", b'{"a":' * 5000])
def test_garbage_does_not_hurt(service, body):
    with service.http() as plain:
        headers = {"content-type": "application/json", "accept": "application/json, text/event-stream"}
        assert 400 <= plain.post("/mcp", content=body, headers=headers).status_code < 500
        assert plain.get("/healthz").status_code == 200


async def test_over_standard_input_and_output(tmp_path):
    docs = tmp_path / "docs"
    (docs / "hr").mkdir(parents=True)
    (docs / "pumps.md").write_text("# Pumps\n\nThe pump P-200 is oiled every month.\n")
    (docs / "hr" / "pay.md").write_text("---\nallow: [group:hr]\n---\n# Pay\n\nThe allowance PA-42 is 42 euros.\n")
    environment = {**os.environ, "JARGONAUT_HOME": str(tmp_path / "home")}
    workspace = Workspace(settings_for_folder(docs), tmp_path / "home")
    await asyncio.to_thread(build, build_plan(workspace.knowledge_base(), True, lambda text: None), silent)

    async def results(query, *options):
        parameters = StdioServerParameters(
            command=sys.executable, args=["-m", "jargonaut", "mcp", str(docs), *options], env=environment
        )
        async with Client(parameters) as connected:
            return (await connected.call_tool("search", {"query": query})).structured_content["results"]

    both = "the pump P-200, the allowance PA-42"
    assert [item["url"] for item in await results(both)] == ["pumps.md"]
    assert {item["url"] for item in await results(both, "--as", "group:hr")} == {"pumps.md", "hr/pay.md"}


def test_without_keys_it_answers_to_this_machine_only(tmp_path):
    handbook = Handbook(tmp_path)
    handbook.promote(handbook.build())
    with serving(handbook, with_keys=False) as open_service, httpx.Client(base_url=open_service.url) as plain:
        request = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
        headers = {"accept": "application/json, text/event-stream"}
        assert plain.post("/mcp", json=request, headers=headers).status_code == 200
        assert plain.post("/mcp", json=request, headers=headers | {"host": "evil.example"}).status_code == 401
