from __future__ import annotations

import json
import re
import stat
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from jargonaut.core.errors import SettingsError
from jargonaut.deployment.cloudflare_plan import metadata_of
from jargonaut.deployment.edge_settings import SECRETS, EdgeSettings, Origin, bindings, secret_id
from jargonaut.deployment.workerd_binary import PINS, find_workerd
from jargonaut.deployment.workerd_config import (
    BUNDLES,
    COMPATIBILITY_DATE,
    COMPATIBILITY_FLAGS,
    local_worker,
    write_config,
)

WORKER = Path(__file__).parents[2] / "worker"
SETTINGS = EdgeSettings((Origin("http://127.0.0.1:8000"),), "k1", 's"e\\c\nré')


def test_only_this_user_may_read_it_and_the_secret_is_not_shown(tmp_path):
    path = write_config(local_worker(SETTINGS), tmp_path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert SETTINGS.secret not in repr(SETTINGS)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8000", "http://[::1]:8000/", "https://rag.example", "http://localhost"]
)
def test_workerd_understands_it(tmp_path, url):
    settings = EdgeSettings((Origin(url), Origin("https://b.example", "b")), "k1", SETTINGS.secret, rate_limit=5)
    path = write_config(local_worker(settings), tmp_path)
    done = subprocess.run([find_workerd(), "compile", path], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    assert SETTINGS.secret.encode() in done.stdout


@pytest.mark.parametrize("url", ["", "127.0.0.1:8000", "ftp://a", "http://a:b", "http://", "http://a?b"])
def test_a_url_that_is_no_origin_is_refused(url):
    with pytest.raises(SettingsError):
        Origin(url)


@pytest.mark.parametrize(("path", "why"), [("", "missing"), ("/predict", "of a service's own"), ("/v1", "missing")])
def test_a_gateway_of_eas_needs_its_path(path, why):
    with pytest.raises(SettingsError, match=why) as caught:
        Origin(f"https://1.cn-hangzhou.pai-eas.aliyuncs.com{path}")
    assert "/api/predict/NAME" in caught.value.hint
    good = Origin("https://1.cn-hangzhou.pai-eas.aliyuncs.com/api/predict/rag/", token="t")
    assert (good.wire()["url"], good.wire()["body_limit"]) == (good.url[:-1], 1_000_000)
    assert "'t'" not in repr(good)


def test_origins_have_names_of_their_own_and_residency_names_them():
    one, other = Origin("http://a"), Origin("http://b")
    for origins, residency in [((), {}), ((one, other), {}), ((one,), {"acme": ("gone",)})]:
        with pytest.raises(SettingsError):
            bindings(EdgeSettings(origins, "k1", "s", residency=residency))


def test_a_secret_is_named_by_its_digest():
    assert secret_id("a") == secret_id("a") != secret_id("b")
    assert re.fullmatch(r"k-[0-9a-f]{12}", secret_id("a"))


def test_wrangler_deploys_the_same_worker():
    text = (WORKER / "wrangler.jsonc").read_text()
    config = json.loads(re.sub(r"^\s*//.*$", "", text, flags=re.MULTILINE))
    assert (config["compatibility_date"], config["compatibility_flags"]) == (COMPATIBILITY_DATE, [*COMPATIBILITY_FLAGS])
    assert {*config["vars"], *SECRETS} == set(bindings(SETTINGS))
    assert config["secrets"]["required"] == ["EDGE_SECRET"]
    assert (WORKER / config["main"]).resolve() == (BUNDLES / "index.js").resolve()
    defaults = bindings(SETTINGS)
    assert all(
        defaults[name] == value for name, value in config["vars"].items() if name not in ("ORIGINS", "EDGE_SECRET_ID")
    )
    uploaded = metadata_of(replace(SETTINGS, rate_limit=config["ratelimits"][0]["simple"]["limit"]), 7401)
    assert config["exports"] == uploaded["exports"]
    bound = {item["name"]: item for item in uploaded["bindings"]}
    (limit,) = config["ratelimits"]
    assert {"type": "ratelimit", **limit} == bound[limit["name"]]
    (counts,) = config["durable_objects"]["bindings"]
    assert {"type": "durable_object_namespace", **counts} == bound[counts["name"]]
    source = (WORKER / "src/settings.ts").read_text()
    assert all(re.search(rf"\b{name}\??:", source) for name in bindings(SETTINGS))


def test_every_pinned_workerd_knows_the_compatibility_date():
    for pin in PINS.values():
        assert pin.version.split(".")[1] >= COMPATIBILITY_DATE.replace("-", "")


def test_the_bundle_is_what_the_sources_build():
    if not (WORKER / "node_modules").is_dir():
        pytest.skip("worker/node_modules is missing: run `npm ci` in worker/")
    done = subprocess.run(["node", "build.mjs", "--check"], cwd=WORKER, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_lock_names_no_address():
    assert "resolved" not in (WORKER / "package-lock.json").read_text()
