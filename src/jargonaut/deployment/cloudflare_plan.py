"""What it takes to bring the edge at Cloudflare to what is wanted: looked at, planned, shown, and only then done."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

from jargonaut.core.errors import InputError, RefusedError
from jargonaut.core.progress import Progress, silent
from jargonaut.deployment.cloudflare import (
    Cloudflare,
    CloudflareDeniedError,
    Deployment,
    Share,
    Upload,
    Version,
)
from jargonaut.deployment.edge_settings import SECRETS, EdgeSettings, bindings
from jargonaut.deployment.workerd_config import BUNDLES, COMPATIBILITY_DATE, COMPATIBILITY_FLAGS

MODULE = "index.js"
ALL = 100.0
RULE = "jargonaut_edge_affinity"
"""Names the rule that keeps an API key with one version."""

_LOOK_BACK = 10
"""Among so many newest versions one is looked for that was uploaded before and is the same."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the edge is put."""

    script: str
    domain: str = ""
    routes: tuple[str, ...] = ()
    zone: str = ""
    """Name of the zone of both."""
    rate_namespace: int = 7401


@dataclass(frozen=True, slots=True)
class Live:
    """What there is."""

    deployments: tuple[Deployment, ...]
    """Newest first; empty if the Worker was never uploaded."""
    versions: Mapping[str, Version]
    """Those that get requests, and the newest ones."""
    domains: Mapping[str, str]
    routes: Mapping[str, str]
    zone_id: str
    ruleset: str
    rules: Mapping[str, str] | None
    """Rules by `ref`; None if the API token may not read them."""

    @property
    def shares(self) -> tuple[Share, ...]:
        """Who answers now, the largest share first."""
        found = self.deployments[0].shares if self.deployments else ()
        return tuple(sorted(found, key=lambda share: -share.percent))

    @property
    def stable(self) -> Version | None:
        """The version that answers most."""
        return self.versions[self.shares[0].version] if self.shares else None


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that will be done, or that is as it should be."""

    sign: Literal["+", "~", "-", "="]
    """Made, changed, taken away, left."""
    text: str
    do: Callable[[], None] | None = None


class Deploying:
    """The edge of one place.

    Args:
        api: The account.
        place: Where it is put.
    """

    def __init__(self, api: Cloudflare, place: Place) -> None:
        self._api = api
        self._place = place

    def look(self) -> Live:
        """What there is now."""
        api, place = self._api, self._place
        deployments = api.deployments(place.script)
        wanted: dict[str, None] = {}
        if deployments:
            wanted = dict.fromkeys(share.version for share in deployments[0].shares)
            wanted |= dict.fromkeys(api.versions(place.script)[:_LOOK_BACK])
        zone_id = api.zone(place.zone) if place.zone else ""
        ruleset, rules = self._rules(zone_id) if zone_id and place.domain else ("", {})
        return Live(
            tuple(deployments or ()),
            {version: api.version(place.script, version) for version in wanted},
            api.domains(place.script),
            api.routes(place.script, zone_id) if zone_id else {},
            zone_id,
            ruleset,
            rules,
        )

    def deploy(self, live: Live, settings: EdgeSettings, percent: float, message: str) -> list[Step]:
        """Steps to a version with `settings` for `percent` of the requests; the rest stays with the stable one.

        An empty secret in `settings` means that it is not known here: the one that is there is kept.

        Raises:
            InputError: The first version gets all requests, and needs its secret.
        """
        stable = live.stable
        if stable is None and percent < ALL:
            raise InputError("The first version answers all requests: there is none beside it.", "Leave out --percent.")
        settings = _with_kept_secret(settings, stable)
        code = (BUNDLES / MODULE).read_bytes()
        tag = tag_of(settings, code)
        metadata = metadata_of(replace(settings, tag=tag), self._place.rate_namespace)
        upload = Upload(metadata, MODULE, code)
        steps = self._versions(live, upload, tag, percent, message) + self._surroundings(live)
        if stable is None:
            steps.append(Step("+", "keep logs", partial(self._api.observe, self._place.script)))
        return steps

    def shift(self, live: Live, percent: float) -> list[Step]:
        """Steps to give the newer of two versions `percent` of the requests.

        Raises:
            RefusedError: Only one version answers.
        """
        if len(live.shares) < 2:
            raise RefusedError("Only one version answers, and it answers everything.", "Deploy one with --percent.")
        older, newer = sorted((live.versions[share.version] for share in live.shares), key=_age)
        return [self._split(newer, older, percent, f"promote {newer.tag} to {percent:g} %")]

    def roll_back(self, live: Live, to: str = "") -> list[Step]:
        """Steps to give all requests to a version that had them before: by default the last one, or during a split the
        older of the two.

        Raises:
            RefusedError: There is none.
        """
        if not live.shares:
            raise RefusedError("Nothing is deployed.")
        now = {share.version for share in live.shares}
        if to:
            known = [*now, *live.versions, *(share.version for item in live.deployments for share in item.shares)]
            found = [version for version in dict.fromkeys(known) if version.startswith(to)]
            if len(found) != 1:
                raise InputError(f"`{to}` is no version that was deployed, or not only one.", "See `edge status`.")
            target = found[0]
        elif len(now) == 2:
            target = min((live.versions[version] for version in now), key=_age).id
        else:
            before = [item.shares[0].version for item in live.deployments[1:] if len(item.shares) == 1]
            target = next((version for version in before if version not in now), "")
            if not target:
                raise RefusedError("No other version answered before.", "Name one that `edge status --json` lists.")
        version = live.versions.get(target) or self._api.version(self._place.script, target)
        return [self._split(version, None, ALL, f"roll back to {version.tag or version.id[:8]}")]

    def destroy(self, live: Live) -> list[Step]:
        """Steps to take everything away."""
        api, script = self._api, self._place.script
        steps = [
            Step("-", f"host name {name}, with its certificate", partial(api.detach_domain, domain))
            for name, domain in live.domains.items()
        ]
        steps += [
            Step("-", f"route {pattern}", partial(api.remove_route, live.zone_id, route))
            for pattern, route in live.routes.items()
        ]
        if live.rules and RULE in live.rules:
            remove = partial(api.remove_transform_rule, live.zone_id, live.ruleset, live.rules[RULE])
            steps.append(Step("-", "rule that keeps an API key with one version", remove))
        if live.deployments:
            steps.append(
                Step("-", f"Worker {script}, with all versions, secrets and counts", partial(api.delete, script))
            )
        return steps

    def _versions(self, live: Live, upload: Upload, tag: str, percent: float, message: str) -> list[Step]:
        api, script, stable = self._api, self._place.script, live.stable
        if stable is None:
            return [Step("+", f"Worker {script}, version {tag}: all requests", partial(api.create, script, upload))]
        if stable.tag == tag and len(live.shares) == 1:
            return [Step("=", f"version {tag} answers all requests")]
        if stable.tag == tag:
            return [self._split(stable, None, ALL, message)]
        there = next((version for version in live.versions.values() if version.tag == tag), None)
        if there is not None:
            return [Step("=", f"version {tag} was uploaded before"), self._split(there, stable, percent, message)]
        uploaded: list[str] = []
        annotated = replace(
            upload,
            # Not allowed with the first upload.
            metadata={**upload.metadata, "annotations": {"workers/message": message[:100], "workers/tag": tag}},
        )
        later = replace(stable, id="", tag=tag)
        return [
            Step("+", f"version {tag}", lambda: uploaded.append(api.upload(script, annotated))),
            self._split(later, stable, percent, message, lambda: uploaded[0]),
        ]

    def _split(
        self,
        version: Version,
        rest: Version | None,
        percent: float,
        message: str,
        id_of: Callable[[], str] | None = None,
    ) -> Step:
        text = f"version {version.tag or version.id[:8]}: {percent:g} % of the requests"
        if rest is not None and percent < ALL:
            text += f", version {rest.tag or rest.id[:8]} the rest"

        def do() -> None:
            shares = [Share(id_of() if id_of else version.id, percent)]
            if rest is not None and percent < ALL:
                shares.append(Share(rest.id, ALL - percent))
            self._api.deploy(self._place.script, shares, message)

        return Step("~", text, do)

    def _surroundings(self, live: Live) -> list[Step]:
        api, place = self._api, self._place
        steps = []
        if not live.deployments:
            public = not (place.domain or place.routes)
            text = "answers at workers.dev, where nothing is cached" if public else "does not answer at workers.dev"
            steps.append(Step("~", text, partial(api.set_subdomain, place.script, public)))
        if place.domain and place.domain in live.domains:
            steps.append(Step("=", f"host name {place.domain}"))
        elif place.domain:
            attach = partial(api.attach_domain, place.script, place.domain, live.zone_id)
            steps.append(Step("+", f"host name {place.domain}, with DNS record and certificate", attach))
        for pattern in place.routes:
            there = pattern in live.routes
            add = partial(api.add_route, place.script, live.zone_id, pattern)
            steps.append(Step("=" if there else "+", f"route {pattern}", None if there else add))
        return [*steps, *self._affinity(live)]

    def _affinity(self, live: Live) -> list[Step]:
        if not self._place.domain:
            return []
        if live.rules is None:
            return [Step("=", "versions are split by request: the API token may not edit transform rules")]
        if RULE in live.rules:
            return [Step("=", "an API key stays with one version")]
        rule = affinity_rule(self._place.domain)
        add = partial(self._api.add_transform_rule, live.zone_id, live.ruleset, rule)
        return [Step("+", "rule that keeps an API key with one version", add)]

    def _rules(self, zone_id: str) -> tuple[str, Mapping[str, str] | None]:
        try:
            return self._api.transform_rules(zone_id)
        except CloudflareDeniedError:
            return "", None


def apply(steps: list[Step], progress: Progress = silent) -> None:
    """Do the steps, in order. After a failure the same command goes on where it stopped: what is done is seen."""
    todo = [step for step in steps if step.do is not None]
    for number, step in enumerate(todo):
        progress("deploying", number, len(todo), step.text)
        if step.do is not None:
            step.do()
    progress("deploying", len(todo), len(todo), "")


def tag_of(settings: EdgeSettings, code: bytes) -> str:
    """12 hexadecimal digits of all that makes a version; secrets count where they are known."""
    parts = [bindings(replace(settings, tag="")), settings.rate_limit, settings.rate_period_s]
    return hashlib.sha256(code + json.dumps(parts, sort_keys=True).encode()).hexdigest()[:12]


def metadata_of(settings: EdgeSettings, rate_namespace: int) -> dict[str, Any]:
    """What is uploaded beside the code. Secrets that are not known here are kept as they are."""
    texts = bindings(settings)
    secret = {name: texts[name] for name in SECRETS if texts[name] not in ("", "{}")}
    bound: list[dict[str, Any]] = [
        {"name": name, "type": "plain_text", "text": text} for name, text in texts.items() if name not in SECRETS
    ]
    bound += [{"name": name, "type": "secret_text", "text": text} for name, text in sorted(secret.items())]
    bound.append({"name": "BUDGET", "type": "durable_object_namespace", "class_name": "Budget"})
    if settings.rate_limit:
        simple = {"limit": settings.rate_limit, "period": settings.rate_period_s}
        bound.append({"name": "RATE_LIMIT", "type": "ratelimit", "namespace_id": str(rate_namespace), "simple": simple})
    cached = settings.store == "workers-cache"
    metadata: dict[str, Any] = {
        "main_module": MODULE,
        "compatibility_date": COMPATIBILITY_DATE,
        "compatibility_flags": [*COMPATIBILITY_FLAGS],
        "bindings": bound,
        "keep_bindings": ["secret_text"],
        "exports": {
            "default": {"type": "worker", "cache": {"enabled": False}},
            "Answers": {"type": "worker", "cache": {"enabled": cached}},
            "Budget": {"type": "durable-object", "storage": "sqlite"},
        },
    }
    # A change of the code alone leaves the cache warm: what an answer depends on is in its key.
    return metadata | ({"cache_options": {"enabled": True, "cross_version_cache": True}} if cached else {})


def affinity_rule(domain: str) -> dict[str, Any]:
    """Keeps whoever sends an API key with one version while traffic is split, and takes the choice from the client."""
    value = 'http.request.headers["authorization"][0]'
    headers = {"Cloudflare-Workers-Version-Key": {"operation": "set", "expression": value}}
    headers["Cloudflare-Workers-Version-Overrides"] = {"operation": "remove"}
    return {
        "ref": RULE,
        "description": "Jargonaut: an API key stays with one version of the edge",
        "expression": f'http.host eq "{domain}"',
        "action": "rewrite",
        "action_parameters": {"headers": headers},
    }


def _with_kept_secret(settings: EdgeSettings, stable: Version | None) -> EdgeSettings:
    if settings.secret:
        return settings
    if stable is None or "EDGE_SECRET" not in stable.secrets:
        raise InputError(
            "The edge needs the secret that it shares with the service.",
            "Name its variable in [edge] secret_env, and set it to a long random text, here and at the service.",
        )
    return replace(settings, secret_id=stable.texts["EDGE_SECRET_ID"])


def _age(version: Version) -> tuple[str, int]:
    return version.created, version.number
