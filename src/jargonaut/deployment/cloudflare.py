"""The REST API of Cloudflare, as far as an edge needs it: one method a request, our errors, patience with theirs."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import httpx

from jargonaut.core.errors import InputError, JargonautError, RefusedError, UnavailableError

API = "https://api.cloudflare.com/client/v4"

_TRIES = 4
_LONGEST_WAIT_S = 30.0
_NO_SCRIPT = 10007
_TRANSFORM = "http_request_late_transform"


class CloudflareDeniedError(JargonautError):
    """The API token may not do this."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Share:
    """A version and its part of the requests."""

    version: str
    percent: float


@dataclass(frozen=True, slots=True)
class Deployment:
    """Which versions answer since when."""

    id: str
    created: str
    shares: tuple[Share, ...]
    message: str


@dataclass(frozen=True, slots=True)
class Version:
    """An uploaded Worker with its environment."""

    id: str
    number: int
    created: str
    tag: str
    """Digest of code and environment, from its `TAG`: two versions with the same one are the same."""
    message: str
    texts: Mapping[str, str]
    """Its plain-text bindings."""
    secrets: frozenset[str]
    """Names of its secrets."""


@dataclass(frozen=True, slots=True)
class Upload:
    """What is uploaded."""

    metadata: Mapping[str, Any]
    module: str
    """File name of the main module."""
    code: bytes


class Cloudflare:
    """One account of Cloudflare.

    Every method raises `CloudflareDeniedError` if the token may not, `RefusedError` if Cloudflare says no, and
    `UnavailableError` if it cannot be reached or goes on failing.

    Args:
        account: Its id.
        token: An API token.
        url: Where the API is.
    """

    def __init__(self, account: str, token: str, url: str = API) -> None:
        self._account = account
        self._http = httpx.Client(
            base_url=url.rstrip("/"),
            headers={"authorization": f"Bearer {token}"},
            timeout=httpx.Timeout(60, connect=10),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._http.close()

    def deployments(self, script: str) -> list[Deployment] | None:
        """Newest first: the first is live. None if there is no such Worker."""
        found = self._call("GET", f"{self._script(script)}/deployments", missing=_NO_SCRIPT)
        return None if found is None else [_deployment(item) for item in found["deployments"]]

    def versions(self, script: str) -> list[str]:
        """Ids of the versions that can be deployed, newest first."""
        return [item["id"] for item in self._call("GET", f"{self._script(script)}/versions")["items"]]

    def version(self, script: str, version: str) -> Version:
        """A version with its environment; what is secret is not told."""
        return _version(self._call("GET", f"{self._script(script)}/versions/{version}"))

    def create(self, script: str, upload: Upload) -> None:
        """Make the Worker, and deploy it for all requests."""
        self._call("PUT", f"{self._script(script)}?excludeScript=true", files=_parts(upload))

    def upload(self, script: str, upload: Upload) -> str:
        """Upload a version, which gets no requests yet; its id."""
        uploaded = self._call("POST", f"{self._script(script)}/versions", files=_parts(upload), repeat=False)
        return str(uploaded["id"])

    def deploy(self, script: str, shares: Sequence[Share], message: str) -> None:
        """Split requests between one or two versions; the shares are 100 in all."""
        body = {
            "strategy": "percentage",
            "versions": [{"version_id": share.version, "percentage": share.percent} for share in shares],
            "annotations": {"workers/message": message},
        }
        self._call("POST", f"{self._script(script)}/deployments", json_body=body)

    def set_subdomain(self, script: str, enabled: bool) -> None:
        """Whether it answers at workers.dev, where the Cache API keeps nothing."""
        self._call(
            "POST", f"{self._script(script)}/subdomain", json_body={"enabled": enabled, "previews_enabled": False}
        )

    def observe(self, script: str) -> None:
        """Keep logs: a setting that no version carries."""
        body = {"observability": {"enabled": True}}
        self._call("PATCH", f"{self._script(script)}/script-settings", json_body=body)

    def delete(self, script: str) -> None:
        """Delete the Worker with all its versions, secrets and objects."""
        self._call("DELETE", f"{self._script(script)}?force=true", missing=_NO_SCRIPT)

    def zone(self, name: str) -> str:
        """Id of a zone.

        Raises:
            InputError: The account has none of this name.
        """
        found = self._call("GET", "/zones", params={"name": name})
        if not found:
            raise InputError(
                f"The account has no zone {name}.",
                "Correct [cloudflare] zone or domain; or the API token may not read that zone.",
            )
        return str(found[0]["id"])

    def domains(self, script: str) -> dict[str, str]:
        """Its host names, and the id of each."""
        found = self._call("GET", f"/accounts/{self._account}/workers/domains", params={"service": script})
        return {item["hostname"]: item["id"] for item in found if item["service"] == script}

    def attach_domain(self, script: str, hostname: str, zone: str) -> None:
        """Give it a host name: makes the DNS record and the certificate."""
        body = {"hostname": hostname, "service": script, "zone_id": zone, "environment": "production"}
        self._call("PUT", f"/accounts/{self._account}/workers/domains", json_body=body)

    def detach_domain(self, domain: str) -> None:
        """Take a host name away, by its id."""
        self._call("DELETE", f"/accounts/{self._account}/workers/domains/{domain}")

    def routes(self, script: str, zone: str) -> dict[str, str]:
        """Its patterns in a zone, and the id of each."""
        found = self._call("GET", f"/zones/{zone}/workers/routes")
        return {item["pattern"]: item["id"] for item in found if item.get("script") == script}

    def add_route(self, script: str, zone: str, pattern: str) -> None:
        """Send it what matches a pattern."""
        self._call("POST", f"/zones/{zone}/workers/routes", json_body={"pattern": pattern, "script": script})

    def remove_route(self, zone: str, route: str) -> None:
        """Take a pattern away, by its id."""
        self._call("DELETE", f"/zones/{zone}/workers/routes/{route}")

    def transform_rules(self, zone: str) -> tuple[str, dict[str, str]]:
        """Id of the zone's rule set for request headers, and the ids of its rules by `ref`; empty if there is none."""
        found = self._call("GET", f"/zones/{zone}/rulesets/phases/{_TRANSFORM}/entrypoint", missing=10003)
        if found is None:
            return "", {}
        return found["id"], {rule.get("ref", ""): rule["id"] for rule in found.get("rules", ())}

    def add_transform_rule(self, zone: str, ruleset: str, rule: Mapping[str, Any]) -> None:
        """Add a rule beside those that there are."""
        if ruleset:
            self._call("POST", f"/zones/{zone}/rulesets/{ruleset}/rules", json_body=rule)
        else:
            path = f"/zones/{zone}/rulesets/phases/{_TRANSFORM}/entrypoint"
            self._call("PUT", path, json_body={"rules": [rule]})

    def remove_transform_rule(self, zone: str, ruleset: str, rule: str) -> None:
        """Take a rule away, by its id."""
        self._call("DELETE", f"/zones/{zone}/rulesets/{ruleset}/rules/{rule}")

    def begin_tail(self, script: str) -> tuple[str, str]:
        """Id of a new tail, and the WebSocket address where its events come."""
        begun = self._call("POST", f"{self._script(script)}/tails", json_body={"filters": []})
        return begun["id"], begun["url"]

    def end_tail(self, script: str, tail: str) -> None:
        """End a tail."""
        self._call("DELETE", f"{self._script(script)}/tails/{tail}")

    def _script(self, name: str) -> str:
        return f"/accounts/{self._account}/workers/scripts/{name}"

    def _call(
        self,
        method: str,
        path: str,
        *,
        json_body: Mapping[str, Any] | None = None,
        files: Any = None,
        params: Mapping[str, str] | None = None,
        missing: int = 0,
        repeat: bool = True,
    ) -> Any:
        """The result of a request; None if it fails because what is asked for is not there (code `missing`)."""
        for tried in range(1, _TRIES + 1):
            try:
                response = self._http.request(method, path, json=json_body, files=files, params=params)
            except httpx.TransportError as error:
                sent = not isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
                if tried == _TRIES or (sent and not repeat):
                    raise UnavailableError(
                        f"Cloudflare's API cannot be reached: {error}.", "Check the network, and run it again."
                    ) from error
                time.sleep(2**tried * 0.1)
                continue
            busy = response.status_code == 429 or response.status_code >= 500
            if not busy or tried == _TRIES or not (repeat or response.status_code == 429):
                return _result(response, method, path, missing)
            time.sleep(min(_LONGEST_WAIT_S, float(response.headers.get("retry-after") or 2**tried * 0.1)))
        raise AssertionError("every turn returns, raises or goes on")


def _parts(upload: Upload) -> list[tuple[str, tuple[str, bytes, str]]]:
    metadata = json.dumps(upload.metadata).encode()
    return [
        ("metadata", ("metadata.json", metadata, "application/json")),
        (upload.module, (upload.module, upload.code, "application/javascript+module")),
    ]


def _result(response: httpx.Response, method: str, path: str, missing: int) -> Any:
    try:
        answer: Any = response.json() if response.content else {"success": response.is_success, "result": None}
    except ValueError:
        answer = {}
    if response.is_success and answer.get("success", False):
        return answer.get("result")
    errors = [error for error in answer.get("errors") or () if isinstance(error, dict)]
    if missing and (any(error.get("code") == missing for error in errors) or (response.status_code == 404)):
        return None
    said = "; ".join(f"{error.get('message', '')} ({error.get('code', '')})" for error in errors)
    where = f"{method} {path.partition('?')[0]}: {said or f'status {response.status_code}'}"
    if response.status_code in (401, 403):
        raise CloudflareDeniedError(
            f"Cloudflare does not let this API token do that. {where}",
            "It needs Workers Scripts: Edit; for a domain or routes also Workers Routes: Edit, Zone: Read and "
            "Transform Rules: Edit of that zone.",
        )
    if response.status_code == 429 or response.status_code >= 500:
        raise UnavailableError(f"Cloudflare's API fails. {where}", "Try again in a minute; nothing is left half done.")
    raise RefusedError(f"Cloudflare refuses. {where}")


def _deployment(item: Mapping[str, Any]) -> Deployment:
    shares = tuple(Share(share["version_id"], float(share["percentage"])) for share in item["versions"])
    message = (item.get("annotations") or {}).get("workers/message", "")
    return Deployment(item["id"], item.get("created_on", ""), shares, message)


def _version(item: Mapping[str, Any]) -> Version:
    bindings = item.get("resources", {}).get("bindings", ())
    annotations, metadata = item.get("annotations") or {}, item.get("metadata") or {}
    texts = {binding["name"]: binding["text"] for binding in bindings if binding["type"] == "plain_text"}
    return Version(
        item["id"],
        int(item.get("number", 0)),
        metadata.get("created_on", ""),
        texts.get("TAG", ""),
        annotations.get("workers/message", ""),
        texts,
        frozenset(binding["name"] for binding in bindings if binding["type"] == "secret_text"),
    )
