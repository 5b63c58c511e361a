"""A stand-in for the REST API of Cloudflare that checks what it is sent, and runs what was uploaded.

It refuses what was recorded to be refused: parts and types of an upload, secrets that nobody set, shares that are not
100 in all. Every version runs in a workerd of its own, and `front` sends requests to them by percentage, one API key
always to the same, as the platform does with its affinity header. What it cannot show is in docs/edge.md.
"""

from __future__ import annotations

import contextlib
import email
import hashlib
import json
import random
import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx

from jargonaut.deployment.edge import Edge
from jargonaut.deployment.workerd_config import LocalWorker

ACCOUNT, TOKEN, ZONE = "0123456789abcdef0123456789abcdef", "a token of the tests", "example.com"
TYPES = {"plain_text", "secret_text", "durable_object_namespace", "ratelimit", "version_metadata"}


class Refused(Exception):
    """An answer of the API that is no success."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code


@dataclass
class Uploaded:
    """A version."""

    id: str
    number: int
    created: str
    bindings: dict[str, dict[str, Any]]
    code: bytes
    annotations: dict[str, str]


@dataclass
class Script:
    """A Worker."""

    versions: dict[str, Uploaded] = field(default_factory=dict)
    deployments: list[dict[str, Any]] = field(default_factory=list)
    subdomain: bool = False
    settings: dict[str, Any] = field(default_factory=dict)


@dataclass
class CloudflareStandIn:
    """One account with one zone."""

    folder: Path
    workerd: Path
    scripts: dict[str, Script] = field(default_factory=dict)
    domains: dict[str, dict[str, str]] = field(default_factory=dict)
    routes: dict[str, dict[str, str]] = field(default_factory=dict)
    rules: list[dict[str, Any]] = field(default_factory=list)
    calls: list[tuple[str, str]] = field(default_factory=list)
    failing: list[int] = field(default_factory=list)
    """Status codes of the next answers."""
    may_transform: bool = True
    tail_url: str = ""
    seed: int = 7

    def start(self) -> str:
        stand_in = self
        self._edges: dict[str, Edge] = {}
        self._lock = threading.Lock()
        self._chance = random.Random(self.seed)
        self._http = httpx.Client(timeout=20)

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                if self.path.startswith("/client/v4"):
                    stand_in._api(self, body)
                else:
                    stand_in._front(self, body)

            do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

            def answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
                self.send_response(status)
                for name, value in headers.items():
                    if name not in ("content-length", "transfer-encoding", "connection", "date"):
                        self.send_header(name, value)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        self.front = f"http://127.0.0.1:{self._server.server_port}"
        return f"{self.front}/client/v4"

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._http.close()
        for edge in self._edges.values():
            edge.stop()

    # What clients of the edge see.

    def _front(self, request: Any, body: bytes) -> None:
        host = request.headers["host"].partition(":")[0]
        domain = self.domains.get(host)
        script = self.scripts.get(domain["service"]) if domain else None
        if script is None:
            return request.answer(530, {}, b"error code: 1016")
        headers = {name.lower(): value for name, value in request.headers.items()}
        for rule in self.rules:
            if rule["expression"] == f'http.host eq "{host}"':
                self._transform(headers, rule["action_parameters"]["headers"])
        version = self._chosen(script, headers)
        url = self._edge(version).url + request.path
        said = self._http.request(request.command, url, content=body, headers=headers)
        answered = dict(said.headers) | {"x-stand-in-version": version.id}
        return request.answer(said.status_code, answered, said.content)

    def _transform(self, headers: dict[str, str], changes: dict[str, dict[str, str]]) -> None:
        for name, change in changes.items():
            headers.pop(name.lower(), None)
            if change["operation"] == "set":
                source = re.fullmatch(r'http\.request\.headers\["([a-z-]+)"\]\[0\]', change["expression"])
                assert source, change
                if source[1] in headers:
                    headers[name.lower()] = headers[source[1]]

    def _chosen(self, script: Script, headers: dict[str, str]) -> Uploaded:
        shares = script.deployments[0]["versions"]
        override = re.search(r'="([^"]+)"', headers.get("cloudflare-workers-version-overrides", ""))
        if override and any(share["version_id"] == override[1] for share in shares):
            return script.versions[override[1]]
        key = headers.get("cloudflare-workers-version-key")
        place = self._chance.uniform(0, 100)
        if key is not None:
            place = int.from_bytes(hashlib.sha256(key.encode()).digest()[:4], "big") / 2**32 * 100
        # The newest first, so that whoever it gets first keeps it while its share grows.
        for share in sorted(shares, key=lambda share: -script.versions[share["version_id"]].number):
            place -= share["percentage"]
            if place < 0:
                return script.versions[share["version_id"]]
        return script.versions[shares[-1]["version_id"]]

    def _edge(self, version: Uploaded) -> Edge:
        with self._lock:
            if version.id not in self._edges:
                bundle = self.folder / f"{version.id}.js"
                bundle.write_bytes(version.code)
                texts = {name: item["text"] for name, item in version.bindings.items() if "text" in item}
                limited = version.bindings.get("RATE_LIMIT", {}).get("simple")
                rate = (limited["limit"], limited["period"]) if limited else None
                edge = Edge(LocalWorker(texts, rate, bundle=bundle), binary=self.workerd)
                edge.start()
                self._edges[version.id] = edge
            return self._edges[version.id]

    # The API.

    def _api(self, request: Any, body: bytes) -> None:
        path, _, query = request.path.removeprefix("/client/v4").partition("?")
        self.calls.append((request.command, path))
        try:
            if self.failing:
                raise Refused(self.failing.pop(0), 10013, "Something went wrong.")
            if request.headers.get("authorization") != f"Bearer {TOKEN}":
                raise Refused(403, 10000, "Authentication error")
            result = self._dispatch(request, path, query, body)
        except Refused as error:
            said = {"success": False, "errors": [{"code": error.code, "message": str(error)}], "result": None}
            headers = {"content-type": "application/json"} | ({"retry-after": "0.01"} if error.status == 429 else {})
            return request.answer(error.status, headers, json.dumps(said).encode())
        said = {"success": True, "errors": [], "messages": [], "result": result}
        return request.answer(200, {"content-type": "application/json"}, json.dumps(said).encode())

    def _dispatch(self, request: Any, path: str, query: str, body: bytes) -> Any:
        for method, pattern, handle in self._endpoints():
            found = re.fullmatch(pattern, path)
            if found and method == request.command:
                if "multipart/" in request.headers.get("content-type", ""):
                    return handle(*found.groups(), _parts(request.headers["content-type"], body))
                return handle(*found.groups(), json.loads(body) if body else dict(_query(query)))
        raise Refused(404, 7003, f"Could not route to {path}")

    def _endpoints(self) -> list[tuple[str, str, Callable[..., Any]]]:
        script = rf"/accounts/{ACCOUNT}/workers/scripts/([a-z0-9-]+)"
        zone = rf"/zones/{_id(ZONE)}"
        phase = f"{zone}/rulesets/phases/http_request_late_transform/entrypoint"
        domains = f"/accounts/{ACCOUNT}/workers/domains"
        return [
            ("PUT", script, self._create),
            ("DELETE", script, self._delete),
            ("GET", f"{script}/deployments", self._deployments),
            ("POST", f"{script}/deployments", self._deploy),
            ("GET", f"{script}/versions", self._versions),
            ("POST", f"{script}/versions", self._upload),
            ("GET", f"{script}/versions/([0-9a-f-]+)", self._version),
            ("POST", f"{script}/subdomain", self._subdomain),
            ("PATCH", f"{script}/script-settings", self._settings),
            ("POST", f"{script}/tails", self._tail),
            ("DELETE", f"{script}/tails/([0-9a-f-]+)", lambda name, tail, _: None),
            ("GET", "/zones", self._zones),
            ("GET", domains, self._domains),
            ("PUT", domains, self._attach),
            ("DELETE", f"{domains}/([0-9a-f]+)", self._detach),
            ("GET", f"{zone}/workers/routes", lambda _: list(self.routes.values())),
            ("POST", f"{zone}/workers/routes", self._add_route),
            ("DELETE", f"{zone}/workers/routes/([0-9a-f]+)", self._remove_route),
            ("GET", phase, self._ruleset),
            ("PUT", phase, self._put_ruleset),
            ("POST", f"{zone}/rulesets/{_id('rules')}/rules", self._add_rule),
            ("DELETE", f"{zone}/rulesets/{_id('rules')}/rules/([0-9a-f]+)", self._remove_rule),
        ]

    def _script(self, name: str) -> Script:
        if name not in self.scripts:
            raise Refused(404, 10007, "This Worker does not exist on your account.")
        return self.scripts[name]

    def _create(self, name: str, parts: dict[str, tuple[str, str, bytes]]) -> Any:
        script = self.scripts.setdefault(name, Script())
        metadata = _metadata(parts)
        if "annotations" in metadata:
            raise Refused(400, 10021, "annotations are for versions")
        version = self._add(script, metadata, parts)
        self._record(script, [{"version_id": version.id, "percentage": 100}], {})
        return {"id": name}

    def _upload(self, name: str, parts: dict[str, tuple[str, str, bytes]]) -> Any:
        script = self._script(name)
        metadata = _metadata(parts)
        for key in ("migrations", "observability", "placement"):
            if key in metadata:
                raise Refused(400, 10021, f"{key} is not for versions")
        return {"id": self._add(script, metadata, parts).id}

    def _add(self, script: Script, metadata: dict[str, Any], parts: dict[str, tuple[str, str, bytes]]) -> Uploaded:
        main = metadata.get("main_module")
        if main not in parts or parts[main][0] != main:
            raise Refused(400, 10021, f"No such module: {main}")
        if parts[main][1] != "application/javascript+module":
            raise Refused(400, 10021, f"{main} is no module: {parts[main][1]}")
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", metadata.get("compatibility_date", "")):
            raise Refused(400, 10021, "compatibility_date is missing")
        before = list(script.versions.values())[-1].bindings if script.versions else {}
        kept = {name: item for name, item in before.items() if item["type"] in metadata.get("keep_bindings", ())}
        bindings = {}
        for binding in metadata["bindings"]:
            _check_binding(binding, metadata)
            if binding["name"] in bindings:
                raise Refused(400, 10021, f"Two bindings named {binding['name']}")
            bindings[binding["name"]] = binding
        number = len(script.versions) + 1
        created = time.strftime("%Y-%m-%dT%H:%M:", time.gmtime()) + f"{number:09.6f}Z"
        digest = hashlib.sha256(f"{number}{len(self.calls)}".encode()).hexdigest()
        version = f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-8{digest[17:20]}-{digest[20:32]}"
        code = parts[main][2]
        uploaded = Uploaded(version, number, created, kept | bindings, code, metadata.get("annotations", {}))
        script.versions[version] = uploaded
        return uploaded

    def _deploy(self, name: str, body: dict[str, Any]) -> Any:
        script = self._script(name)
        shares = body["versions"]
        if body.get("strategy") != "percentage" or not 1 <= len(shares) <= 2:
            raise Refused(400, 10021, "one or two versions by percentage")
        if abs(sum(share["percentage"] for share in shares) - 100) > 1e-9:
            raise Refused(400, 10021, "percentages must sum to 100")
        if any(not 0 <= share["percentage"] <= 100 for share in shares):
            raise Refused(400, 10021, "a percentage is between 0 and 100")
        for share in shares:
            if share["version_id"] not in script.versions:
                raise Refused(404, 10021, f"no version {share['version_id']}")
        return self._record(script, shares, body.get("annotations", {}))

    def _record(self, script: Script, shares: list[dict[str, Any]], annotations: dict[str, str]) -> Any:
        created = f"2026-11-24T10:00:{len(script.deployments):02d}Z"
        shares = [share for share in shares if share["percentage"] > 0 or len(shares) > 1]
        deployment = {
            "id": _id(f"deployment {len(script.deployments)}"),
            "created_on": created,
            "strategy": "percentage",
            "versions": shares,
            "annotations": annotations,
        }
        script.deployments.insert(0, deployment)
        return deployment

    def _deployments(self, name: str, _: Any) -> Any:
        return {"deployments": self._script(name).deployments}

    def _versions(self, name: str, _: Any) -> Any:
        return {"items": [{"id": version.id} for version in reversed(self._script(name).versions.values())]}

    def _version(self, name: str, version: str, _: Any) -> Any:
        found = self._script(name).versions.get(version)
        if found is None:
            raise Refused(404, 10021, f"no version {version}")
        told = [
            {key: value for key, value in item.items() if key != "text" or item["type"] != "secret_text"}
            for item in found.bindings.values()
        ]
        return {
            "id": found.id,
            "number": found.number,
            "metadata": {"created_on": found.created},
            "annotations": found.annotations,
            "resources": {"bindings": told},
        }

    def _subdomain(self, name: str, body: dict[str, Any]) -> Any:
        self._script(name).subdomain = body["enabled"]
        return body

    def _settings(self, name: str, body: dict[str, Any]) -> Any:
        self._script(name).settings |= body
        return body

    def _delete(self, name: str, _: Any) -> Any:
        self._script(name)
        del self.scripts[name]

    def _tail(self, name: str, _: Any) -> Any:
        self._script(name)
        return {"id": "7a11", "url": self.tail_url, "expires_at": "2026-11-24T11:00:00Z"}

    def _zones(self, query: dict[str, str]) -> Any:
        return [{"id": _id(ZONE), "name": ZONE}] if query.get("name") == ZONE else []

    def _domains(self, query: dict[str, str]) -> Any:
        return [item for item in self.domains.values() if item["service"] == query.get("service", item["service"])]

    def _attach(self, body: dict[str, Any]) -> Any:
        self._script(body["service"])
        if body["zone_id"] != _id(ZONE) or not body["hostname"].endswith(ZONE):
            raise Refused(400, 100115, "The hostname is not of that zone.")
        if body["hostname"] in self.domains and self.domains[body["hostname"]]["service"] != body["service"]:
            raise Refused(409, 100117, "The hostname belongs to another Worker.")
        self.domains[body["hostname"]] = {"id": _id(body["hostname"]), **body}
        return self.domains[body["hostname"]]

    def _detach(self, domain: str, _: Any) -> Any:
        self.domains = {name: item for name, item in self.domains.items() if item["id"] != domain}

    def _add_route(self, body: dict[str, Any]) -> Any:
        self._script(body["script"])
        if body["pattern"] in self.routes:
            raise Refused(409, 10020, "A route with the same pattern already exists.")
        self.routes[body["pattern"]] = {"id": _id(body["pattern"]), **body}
        return self.routes[body["pattern"]]

    def _remove_route(self, route: str, _: Any) -> Any:
        self.routes = {name: item for name, item in self.routes.items() if item["id"] != route}

    def _ruleset(self, _: Any) -> Any:
        if not self.may_transform:
            raise Refused(403, 10000, "Authentication error")
        if not self.rules:
            raise Refused(404, 10003, "could not find entrypoint ruleset")
        return {"id": _id("rules"), "rules": self.rules}

    def _put_ruleset(self, body: dict[str, Any]) -> Any:
        self.rules = []
        for rule in body["rules"]:
            self._add_rule(rule)
        return {"id": _id("rules")}

    def _add_rule(self, rule: dict[str, Any]) -> Any:
        if rule["action"] != "rewrite" or not rule["expression"]:
            raise Refused(400, 20120, "not a transform rule")
        self.rules.append({"id": _id(rule["ref"]), **rule})
        return {"id": _id("rules")}

    def _remove_rule(self, rule: str, _: Any) -> Any:
        self.rules = [item for item in self.rules if item["id"] != rule]


def _metadata(parts: dict[str, tuple[str, str, bytes]]) -> dict[str, Any]:
    if "metadata" not in parts or parts["metadata"][1] != "application/json":
        raise Refused(400, 10021, "metadata is missing")
    metadata: dict[str, Any] = json.loads(parts["metadata"][2])
    return metadata


def _check_binding(binding: dict[str, Any], metadata: dict[str, Any]) -> None:
    kind = binding["type"]
    if kind not in TYPES:
        raise Refused(400, 10021, f"no binding of the type {kind}")
    if kind in ("plain_text", "secret_text") and not isinstance(binding.get("text"), str):
        raise Refused(400, 10021, f"{binding['name']} has no text")
    if kind == "ratelimit":
        if not isinstance(binding["namespace_id"], str) or not binding["namespace_id"].isdigit():
            raise Refused(400, 10021, "namespace_id is a text that holds an integer")
        if binding["simple"]["period"] not in (10, 60) or binding["simple"]["limit"] < 1:
            raise Refused(400, 10021, "period is 10 or 60")
    if kind == "durable_object_namespace":
        exported = metadata.get("exports", {}).get(binding["class_name"], {})
        if exported != {"type": "durable-object", "storage": "sqlite"}:
            raise Refused(400, 10061, f"{binding['class_name']} is not exported as a Durable Object")


def _parts(content_type: str, body: bytes) -> dict[str, tuple[str, str, bytes]]:
    """Name of each part -> its file name, type and content."""
    message = email.message_from_bytes(b"content-type: " + content_type.encode() + b"\r\n\r\n" + body)
    found = {}
    for part in message.get_payload():
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        found[name] = (part.get_filename(), part.get_content_type(), content)
    return found


def _query(query: str) -> Iterator[tuple[str, str]]:
    for pair in filter(None, query.split("&")):
        name, _, value = pair.partition("=")
        yield name, value


def _id(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:32]


@contextlib.contextmanager
def cloudflare(folder: Path, workerd: Path) -> Iterator[CloudflareStandIn]:
    """A stand-in, running; its API is at `front` + `/client/v4`."""
    stand_in = CloudflareStandIn(folder, workerd)
    stand_in.start()
    try:
        yield stand_in
    finally:
        stand_in.stop()
