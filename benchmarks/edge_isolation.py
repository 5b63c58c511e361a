"""Tries to make the edge give somebody what is not theirs, or what is no longer so.

Tenants, keys with overlapping principals, bodies that mean the same or nearly the same, headers that poison caches, an
origin that fails in every way, deletes, revoked keys and narrowed permissions in between, an edge that is killed. Every
answer says whom it was made for, from which question and at which generation, so that one that crossed or outlived its
bound is seen.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import httpx

from jargonaut.deployment.edge import Edge, Supervision
from jargonaut.deployment.edge_settings import EdgeSettings
from jargonaut.deployment.edge_settings import Origin as EdgeOrigin
from tests.edge.origin import SECRET, SECRET_ID, Origin, Seen, digest, running

BOUND_S = 0.25
STALE_S = 0.5
MARGIN_S = 0.1
"""The clocks of three processes, read at different moments."""
PLANNED = frozenset({200, 400, 401, 403, 404, 405, 413, 415, 429, 500, 502, 503, 504})
"""What a client may be told, whatever happens. 500 is the origin's own."""

_CONCURRENT = 24
_RESTART_S = 5.0


@dataclass
class Tally:
    """What came of it."""

    requests: int = 0
    labels: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    cut: int = 0
    """Connections that were cut, by an origin that broke off or an edge that was killed."""
    crossed: list[str] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)
    truncated: list[str] = field(default_factory=list)
    unplanned: list[str] = field(default_factory=list)

    @property
    def failures(self) -> list[str]:
        """All that must not be."""
        return self.crossed + self.stale + self.truncated + self.unplanned

    @classmethod
    def of(cls, record: dict[str, Any]) -> Tally:
        """What `dataclasses.asdict` made of one."""
        counters = {name: Counter(record[name]) for name in ("labels", "statuses")}
        return cls(**(record | counters))

    def add(self, other: Tally) -> None:
        """Count another part in."""
        self.requests += other.requests
        self.cut += other.cut
        self.labels += other.labels
        self.statuses += other.statuses
        for name in ("crossed", "stale", "truncated", "unplanned"):
            getattr(self, name).extend(getattr(other, name))


class _History:
    """What was so, and since when."""

    def __init__(self, value: Any) -> None:
        self._values = [(0.0, value)]

    def set(self, value: Any) -> None:
        self._values.append((time.monotonic(), value))

    @property
    def now(self) -> Any:
        return self._values[-1][1]

    def between(self, begin: float, end: float) -> list[Any]:
        """All that was so at some moment of a span."""
        found = []
        for number, (since, value) in enumerate(self._values):
            until = self._values[number + 1][0] if number + 1 < len(self._values) else float("inf")
            if since <= end and until >= begin:
                found.append(value)
        return found


class _Talkative(Origin):
    """Its answers say what they were made from; and it fails as often as it is told to."""

    chance: random.Random
    trouble = 0.0

    async def _answer(self, send: Callable[[dict[str, Any]], Awaitable[None]], seen: Seen, path: str) -> None:
        who = seen.identity
        assert who is not None
        model = self.models.get(who.knowledge_base)
        if model is None:
            return await _send(send, 404, {"error": {"message": "gone", "code": "model_not_found"}})
        headers = {
            "x-jargonaut-knowledge-base": quote(who.knowledge_base, safe=""),
            "x-jargonaut-channel": who.channel,
            "x-jargonaut-recipe": model["recipe"],
            "x-jargonaut-release": model["release"],
            "x-jargonaut-generation": str(model["generation"]),
            "x-jargonaut-store": "yes",
        }
        made = {
            "tenant": who.tenant,
            "principals": sorted(who.principals),
            "knowledge_base": who.knowledge_base,
            "generation": model["generation"],
            "body": hashlib.sha256(seen.body).hexdigest(),
            "path": path,
        }
        fate = self.chance.random() / self.trouble if self.trouble else 1.0
        if fate < 0.25:
            return await _send(send, 503, {"error": {"message": "down", "code": "unavailable"}})
        if fate < 0.4:
            return await _send(send, 500, {"error": {"message": "broke", "code": "internal_error"}}, headers)
        if fate < 0.55:  # somebody else's echo
            headers["x-jargonaut-generation"] = str(model["generation"] + 1)
        if fate < 0.65:
            headers["cache-control"] = "private"
        text, half = json.dumps(made), 0.65 <= fate < 1
        if seen.json.get("stream"):
            return await _stream(send, headers, text, half)
        choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        return await _send(send, 200, {"choices": [choice], "data": [text], "results": [text]}, headers, half)


async def _send(send: Any, status: int, value: Any, headers: dict[str, str] | None = None, half: bool = False) -> None:
    body = json.dumps(value).encode()
    all_headers = {"content-type": "application/json", "content-length": str(len(body))} | (headers or {})
    raw = [(name.encode(), text.encode()) for name, text in all_headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    if half:
        await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
        raise ConnectionAbortedError
    await send({"type": "http.response.body", "body": body})


async def _stream(send: Any, headers: dict[str, str], text: str, half: bool) -> None:
    raw = [(name.encode(), value.encode()) for name, value in ({"content-type": "text/event-stream"} | headers).items()]
    await send({"type": "http.response.start", "status": 200, "headers": raw})
    pieces = [text[at : at + 40] for at in range(0, len(text), 40)]
    for number, piece in enumerate(pieces):
        if half and number == len(pieces) // 2:
            raise ConnectionAbortedError
        choice = {"index": 0, "delta": {"content": piece}, "finish_reason": None}
        await send({"type": "http.response.body", "body": _event({"choices": [choice]}), "more_body": True})
    end = _event({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}) + b"data: [DONE]\n\n"
    await send({"type": "http.response.body", "body": end})


def _event(value: Any) -> bytes:
    return f"data: {json.dumps(value)}\n\n".encode()


@dataclass
class _World:
    """Who there is and what is so, with its history."""

    origin: _Talkative
    chance: random.Random
    keys: dict[str, tuple[str, _History]] = field(default_factory=dict)
    """Key -> tenant, principals (None: revoked)."""
    generations: dict[str, _History] = field(default_factory=dict)
    killed_at: float = -float("inf")

    @classmethod
    def make(cls, origin: _Talkative, chance: random.Random) -> _World:
        world = cls(origin, chance)
        for tenant in range(4):
            for number in range(4):
                key = f"tenant-{tenant}-key-{number}"
                world.keys[key] = (f"t{tenant}", _History(world.principals(number)))
        for name in ("handbook", "手册", "hand", "handbook2"):
            world.generations[name] = _History(1)
        world.publish()
        return world

    def principals(self, number: int) -> tuple[str, ...]:
        # Keys 0 and 1 read the same; the others more.
        return tuple(sorted({"public", *(f"group:g{group}" for group in range(max(0, number - 1)))}))

    def publish(self) -> None:
        self.origin.keys = {
            digest(key): {"tenant": tenant, "scopes": ["read"], "principals": list(held.now), "key_id": key}
            for key, (tenant, held) in self.keys.items()
            if held.now is not None
        }
        live = {"channel": "live", "recipe": "r1", "release": "x1"}
        self.origin.models = {name: {**live, "generation": held.now} for name, held in self.generations.items()}

    def change(self) -> None:
        """A delete, a revoked key, or a narrowed or widened permission."""
        kind = self.chance.random()
        if kind < 0.5:
            held = self.chance.choice(list(self.generations.values()))
            value: Any = held.now + 1
        else:
            _, held = self.chance.choice(list(self.keys.values()))
            number = self.chance.randrange(4)
            value = None if kind > 0.85 and held.now is not None else self.principals(number)
        held.set(value)
        self.publish()


def soak_part(count: int, seed: int) -> Tally:
    """`count` requests, the same for the same seed but for what runs at the same time."""
    chance = random.Random(seed)
    origin = _Talkative()
    origin.chance = random.Random(seed + 1)
    with running(origin) as origin.url:
        world = _World.make(origin, chance)
        settings = EdgeSettings(
            (EdgeOrigin(origin.url),),
            SECRET_ID,
            SECRET,
            bound_s=BOUND_S,
            stale_if_error_s=STALE_S,
            ttl_s=3600,
            header_deadline_s=5,
        )
        with Edge(settings, supervision=Supervision(probe_every_s=0.5)) as edge:
            return asyncio.run(_ask_all(world, edge, count))


async def _ask_all(world: _World, edge: Edge, count: int) -> Tally:
    tally, numbers = Tally(), iter(range(count))
    async with httpx.AsyncClient(base_url=edge.url, timeout=30, trust_env=False) as client:

        async def asker() -> None:
            for number in numbers:
                # Quiet times and troubled ones.
                world.origin.trouble = 0.2 if number // 100 % 3 == 2 else 0.0
                if number % 60 == 59:
                    world.change()
                if number % 2500 == 2499 and edge.pid is not None:
                    world.killed_at = time.monotonic()
                    os.kill(edge.pid, signal.SIGKILL)
                await _ask(world, client, tally)

        await asyncio.gather(*(asker() for _ in range(_CONCURRENT)))
    return tally


async def _ask(world: _World, client: httpx.AsyncClient, tally: Tally) -> None:
    asked = _draw(world)
    begun = time.monotonic()
    tally.requests += 1
    try:
        response = await client.post(asked.path, content=asked.body, headers=asked.headers)
    except httpx.TransportError as error:
        # A stream that broke off, or an edge that was killed: the client knows, and nothing false was said.
        tally.cut += 1
        recently = time.monotonic() - world.killed_at < _RESTART_S
        if not recently and not isinstance(error, httpx.RemoteProtocolError | httpx.ReadError):
            tally.unplanned.append(f"{asked.what}: {error!r}")
        return
    ended = time.monotonic()
    tally.statuses[str(response.status_code)] += 1
    if response.status_code not in PLANNED:
        tally.unplanned.append(f"{asked.what}: status {response.status_code}")
    if response.status_code != 200:
        if response.json().get("error") is None:
            tally.unplanned.append(f"{asked.what}: an error without its shape")
        return
    tally.labels[response.headers["x-jargonaut-cache"]] += 1
    made = _made(response)
    if made is None:
        tally.truncated.append(f"{asked.what}: {response.text[-100:]!r}")
        return
    _judge(world, asked, response, made, begun, ended, tally)


def _judge(
    world: _World,
    asked: _Asked,
    response: httpx.Response,
    made: dict[str, Any],
    begun: float,
    ended: float,
    tally: Tally,
) -> None:
    label = response.headers["x-jargonaut-cache"]
    tenant, held = world.keys.get(asked.key, ("nobody", _History(None)))
    if (made["tenant"], made["knowledge_base"], made["path"]) != (tenant, asked.model, asked.path):
        tally.crossed.append(f"{asked.what} ({label}): made for {made}")
    if asked.digest and made["body"] != asked.digest:
        tally.crossed.append(f"{asked.what} ({label}): the answer to another question")
    since = begun - BOUND_S - MARGIN_S - (STALE_S if label == "STALE" else 0)
    if tuple(made["principals"]) not in held.between(since, ended):
        kind = tally.crossed if tuple(made["principals"]) not in held.between(0, ended) else tally.stale
        kind.append(f"{asked.what} ({label}): seen as {made['principals']}, now {held.now}")
    if made["generation"] not in world.generations[asked.model].between(since, ended):
        tally.stale.append(f"{asked.what} ({label}): generation {made['generation']}")


def _made(response: httpx.Response) -> dict[str, Any] | None:
    """What the answer says it was made from; None if it is not whole."""
    try:
        if response.headers["content-type"].startswith("text/event-stream"):
            *events, done = [line[6:] for line in response.text.split("\n\n") if line]
            if done != "[DONE]":
                return None
            choices = [json.loads(event)["choices"][0] for event in events]
            text = "".join(choice["delta"].get("content", "") for choice in choices)
        else:
            text = response.json()["choices"][0]["message"]["content"]
        made: dict[str, Any] = json.loads(text)
    except (ValueError, KeyError, IndexError):
        return None
    return made


@dataclass
class _Asked:
    path: str
    key: str
    model: str
    body: bytes
    headers: dict[str, str]
    digest: str
    """Of the canonical body; empty if it cannot be answered."""

    @property
    def what(self) -> str:
        return f"{self.path} by {self.key}: {self.body[:160]!r}"


_PATHS = ("/v1/chat/completions", "/v1/search", "/v1/embeddings", "/v1/rerank")
_QUESTIONS = (
    "What torque?",
    "what torque?",
    "Größe",
    "Gro\u0308ße",
    "扭矩是多少",
    "扭矩 是多少",
    "",
    " ",
    "a" * 500,
    "</s>",
)
_MEMBERS: tuple[tuple[str, tuple[Any, ...]], ...] = (
    ("top_k", (1, 5, "5")),
    ("tenant", ("t1",)),
    ("temperature", (0, 1)),
    ("stream", (True, False)),
)
_SCHEMES = ("Bearer ", "bearer  ")
_SPOILT = (b"", b"[]", b"{", b"\xff\xfe", b'"x"', b"[" * 5000, b'{"model":7}', b'{"model":"handbook","a":"\\ud800"}')
_HEADERS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("cache-control", ("no-cache", "no-store", "max-age=0", "only-if-cached", "max-age=1, private")),
    ("accept-language", ("de", "zh")),
    ("x-forwarded-host", ("evil.example",)),
    ("x-forwarded-for", ("10.0.0.1",)),
    ("x-jargonaut-identity", ("eyJ0ZW5hbnQiOiJ0MSJ9",)),
    ("x-jargonaut-store", ("yes",)),
    ("x-jargonaut-stored-at", ("1",)),
    ("x-http-method-override", ("GET",)),
    ("cloudflare-workers-version-key", ("t1",)),
    ("cookie", ("tenant=t1",)),
    ("range", ("bytes=0-9",)),
    ("if-none-match", ("*",)),
    ("accept-encoding", ("gzip", "identity")),
)


def _draw(world: _World) -> _Asked:
    chance = world.chance
    key = chance.choice([*world.keys, "unknown"])
    # Most ask what others ask too, in their own words for it.
    meant = random.Random(chance.randrange(10)) if chance.random() < 0.75 else chance
    model, path = meant.choice(list(world.generations)), meant.choice(_PATHS)
    value: dict[str, Any] = {"messages": [{"role": "user", "content": meant.choice(_QUESTIONS)}]}
    if meant.random() < 0.5:
        value = {"messages": [], "query": meant.choice(_QUESTIONS)}
    for name, values in _MEMBERS:
        if meant.random() < 0.25:
            value[name] = meant.choice(values)
    if chance.random() < 0.05:
        value["user"] = "somebody"
    headers = {name: chance.choice(values) for name, values in _HEADERS if chance.random() < 0.05}
    headers |= {"authorization": f"{chance.choice(_SCHEMES)}{key}", "content-type": "application/json"}
    if chance.random() < 0.04:
        return _Asked(path, key, model, chance.choice(_SPOILT), headers, "")
    members = [("model", chance.choice((model, f"{model}@live"))), *value.items()]
    chance.shuffle(members)
    body = json.dumps(dict(members), ensure_ascii=chance.random() < 0.5, indent=chance.choice((None, 1)))
    canonical = json.dumps(
        value | {"model": f"{model}@live"}, ensure_ascii=False, sort_keys=True, separators=(",", ":")
    )
    if chance.random() < 0.1:  # of two equal names the last counts
        body = '{"model": "hand", ' + body.lstrip()[1:]
    known = hashlib.sha256(canonical.encode()).hexdigest()
    return _Asked(path, key, model, body.encode(), headers, known)
