"""`jargonaut edge deploy` and its kin, against a stand-in that checks what it is sent and runs what was uploaded."""

from __future__ import annotations

import json
import re
import shlex
import threading
from collections import Counter
from pathlib import Path

import httpx
import pytest

from jargonaut.deployment.cloudflare import Cloudflare, CloudflareDeniedError, Share
from jargonaut.deployment.edge_settings import secret_id
from tests.clouds.cloudflare import ACCOUNT, TOKEN, ZONE, cloudflare
from tests.command_line import CommandLine
from tests.edge.origin import SECRET, Origin, digest, running

DOMAIN = f"rag.{ZONE}"
HTTP = httpx.Client(timeout=20)
LIVE = {"channel": "live", "recipe": "r1", "release": "rel1", "generation": 7}


@pytest.fixture(scope="module", autouse=True)
def _http():
    yield
    HTTP.close()


@pytest.fixture(scope="module")
def served():
    origin = Origin(secrets={secret_id(SECRET): SECRET.encode(), secret_id("another"): b"another"})
    with running(origin) as origin.url:
        yield origin


@pytest.fixture
def origin(served):
    reader = {"scopes": ["read"], "tenant": "acme", "principals": ["public"]}
    keys = {digest(f"key-{number}"): reader for number in range(24)}
    models = {"handbook": dict(LIVE), "handbook@canary": {**LIVE, "channel": "canary", "recipe": "r2"}}
    served.reset(Origin(keys=keys, models=models, secrets=served.secrets))
    return served


@pytest.fixture
def account(tmp_path, workerd):
    folder = tmp_path / "account"
    folder.mkdir()
    with cloudflare(folder, workerd) as stand_in:
        yield stand_in


@pytest.fixture
def run(tmp_path, account, origin):
    """The command line of somebody whose settings name the account."""
    (tmp_path / "docs").mkdir()
    path = tmp_path / "jargonaut.toml"
    path.write_text(
        f'[edge]\nsecret_env = "EDGE_SECRET"\nrate_limit = 600\n'
        f'[[edge.origins]]\nname = "here"\nurl = "{origin.url}"\ntoken_env = "ORIGIN_TOKEN"\n'
        f'[cloudflare]\naccount = "{ACCOUNT}"\ndomain = "{DOMAIN}"\nroutes = ["{ZONE}/rag/*"]\n'
        '[[knowledge_bases]]\nname = "handbook"\n[[knowledge_bases.sources]]\npath = "docs"\n'
    )
    environment = {
        "EDGE_SECRET": SECRET,
        "ORIGIN_TOKEN": "token of the gateway",
        "CLOUDFLARE_API_TOKEN": TOKEN,
        "CLOUDFLARE_API_BASE_URL": f"{account.front}/client/v4",
    }
    line = CommandLine(tmp_path / "home", environment)

    def run(*arguments, code=0, **changes):
        line.environment = environment | changes
        return line.run("edge", *arguments, "--config", path, code=code)

    run.path = path
    return run


def ask(account, key="key-0", question="q", host=DOMAIN, **headers):
    body = {"model": "handbook", "messages": [{"role": "user", "content": question}]}
    headers |= {"host": host, "authorization": f"Bearer {key}"}
    return HTTP.post(f"{account.front}/v1/chat/completions", json=body, headers=headers)


def changed(account):
    return [(method, path) for method, path in account.calls if method != "GET"]


def test_from_nothing_to_an_edge_that_answers_and_back(run, account, origin):
    planned = run("deploy", "--dry-run")
    assert "+ Worker jargonaut-edge" in planned.stdout
    assert f"+ host name {DOMAIN}, with DNS record and certificate" in planned.stdout
    assert f"+ route {ZONE}/rag/*" in planned.stdout
    assert changed(account) == []
    run("deploy", "--yes")
    script = account.scripts["jargonaut-edge"]
    assert (script.subdomain, script.settings) == (False, {"observability": {"enabled": True}})
    assert set(account.domains) == {DOMAIN}
    answers = [ask(account) for _ in range(2)]
    assert [answer.headers["x-jargonaut-cache"] for answer in answers] == ["MISS", "HIT"]
    assert origin.seen[0].headers["authorization"] == "token of the gateway"
    (version,) = script.versions.values()
    assert answers[0].headers["x-jargonaut-version"] == version.bindings["TAG"]["text"]
    # Nothing to do is nothing done.
    before = changed(account)
    assert "Nothing to do." in run("deploy", "--yes").stdout
    assert changed(account) == before
    assert "100 %" in run("status").stdout
    run("destroy", "--yes")
    assert (account.scripts, account.domains, account.routes, account.rules) == ({}, {}, {}, [])
    assert "Nothing to do." in run("destroy", "--yes").stdout


def test_without_consent_nothing_is_done(run, account):
    assert "--yes" in run("deploy", code=2).stderr
    assert "--yes" in run("deploy", "--json", code=2).stderr
    assert changed(account) == []


def test_a_canary_takes_its_part_keeps_its_readers_and_is_rolled_back_warm(run, account, origin):
    run("deploy", "--yes")
    keys = [f"key-{number}" for number in range(24)]

    def channels():
        return {key: ask(account, key, f"for {key}").headers["x-jargonaut-channel"] for key in keys}

    assert set(channels().values()) == {"live"}
    run("deploy", "--yes", "--channel", "canary", "--percent", "25")
    quarter = channels()
    assert channels() == quarter
    assert 2 <= Counter(quarter.values())["canary"] <= 12
    status = json.loads(run("status", "--json").stdout)
    shares = {version["channel"]: version["percent"] for version in status["versions"]}
    assert shares == {"canary": "25 %", "live": "75 %"}
    run("promote", "--yes", "--percent", "60")
    most = channels()
    # Whoever was in the canary stays in it.
    assert all(most[key] == "canary" for key, channel in quarter.items() if channel == "canary")
    assert Counter(most.values())["canary"] > Counter(quarter.values())["canary"]
    run("rollback", "--yes")
    answers = {key: ask(account, key, f"for {key}") for key in keys}
    assert {answer.headers["x-jargonaut-channel"] for answer in answers.values()} == {"live"}
    assert {answer.headers["x-jargonaut-cache"] for answer in answers.values()} == {"HIT"}
    # A version that was given up can come back by its id, and the last one without.
    canary = next(version["id"] for version in status["versions"] if version["channel"] == "canary")
    run("rollback", canary[:8], "--yes")
    assert ask(account).headers["x-jargonaut-channel"] == "canary"
    run("rollback", "--yes")
    assert ask(account).headers["x-jargonaut-channel"] == "live"
    # Deployed again, it is not uploaded again.
    uploads = len(account.scripts["jargonaut-edge"].versions)
    run("deploy", "--yes", "--channel", "canary")
    assert len(account.scripts["jargonaut-edge"].versions) == uploads
    assert ask(account).headers["x-jargonaut-channel"] == "canary"


def test_a_client_cannot_choose_its_version(run, account):
    run("deploy", "--yes")
    run("deploy", "--yes", "--channel", "canary", "--percent", "0.001")
    canary = list(account.scripts["jargonaut-edge"].versions)[-1]
    for headers in (
        {"cloudflare-workers-version-overrides": f'jargonaut-edge="{canary}"'},
        *({"cloudflare-workers-version-key": str(number)} for number in range(20)),
    ):
        assert ask(account, **headers).headers["x-jargonaut-channel"] == "live"


def test_secrets_are_kept_where_they_are_not_known_and_replaced_where_they_are(run, account, origin):
    run("deploy", "--yes")
    run("deploy", "--yes", "--channel", "canary", EDGE_SECRET="", ORIGIN_TOKEN="")
    first, second = account.scripts["jargonaut-edge"].versions.values()
    for name in ("EDGE_SECRET", "ORIGIN_TOKENS", "EDGE_SECRET_ID"):
        assert second.bindings[name] == first.bindings[name]
    assert ask(account).status_code == 200
    # Secret and name change in one version, so that there is no moment at which they differ.
    run("deploy", "--yes", EDGE_SECRET="another")
    third = list(account.scripts["jargonaut-edge"].versions.values())[-1]
    assert third.bindings["EDGE_SECRET_ID"]["text"] == secret_id("another")
    assert ask(account, question="new").status_code == 200
    said = run("status", "--json").stdout + run("deploy", "--dry-run", "--json").stdout
    assert SECRET not in said
    assert "token of the gateway" not in said


def test_the_first_version_needs_its_secrets_and_all_requests(run, account):
    assert "ORIGIN_TOKEN" in run("deploy", "--yes", code=2, ORIGIN_TOKEN="").stderr
    assert "EDGE_SECRET" in run("deploy", "--yes", code=2, EDGE_SECRET="").stderr
    assert "there is none beside it" in run("deploy", "--yes", "--percent", "10", code=2).stderr
    assert changed(account) == []
    run("promote", "--yes", code=5)
    run("rollback", "--yes", code=5)


def test_an_interrupted_deployment_goes_on_where_it_stopped(run, account):
    run("deploy", "--yes")
    account.calls.clear()
    uploads = account.scripts["jargonaut-edge"].versions
    real = account._deploy

    def fails(*arguments):
        from tests.clouds.cloudflare import Refused

        raise Refused(400, 10021, "Not now.")

    account._deploy = fails
    assert "Not now." in run("deploy", "--yes", "--channel", "canary", code=5).stderr
    account._deploy = real
    assert len(uploads) == 2
    planned = run("deploy", "--yes", "--channel", "canary")
    assert "was uploaded before" in planned.stdout
    assert len(uploads) == 2
    assert ask(account).headers["x-jargonaut-channel"] == "canary"


def test_failures_of_the_api_are_waited_for_and_refusals_told(run, account):
    account.failing = [503, 429, 500]
    run("deploy", "--yes")
    assert ask(account).status_code == 200
    account.failing = [500] * 4
    assert "Cloudflare's API fails" in run("status", code=6).stderr
    account.failing = []
    said = run("status", code=2, CLOUDFLARE_API_TOKEN="wrong").stderr
    assert "Workers Scripts: Edit" in said
    assert "wrong" not in said
    assert "CLOUDFLARE_API_TOKEN" in run("status", code=2, CLOUDFLARE_API_TOKEN="").stderr
    assert "cannot be reached" in run("status", code=6, CLOUDFLARE_API_BASE_URL="http://127.0.0.1:1").stderr


def test_without_the_right_to_transform_versions_are_split_by_request(run, account):
    account.may_transform = False
    assert "may not edit transform rules" in run("deploy", "--yes").stdout
    assert ask(account).status_code == 200
    run("destroy", "--yes")


def test_a_zone_that_is_not_there(run, account):
    run.path.write_text(run.path.read_text().replace(DOMAIN, "rag.example.org"))
    assert "no zone example.org" in run("deploy", "--yes", code=2).stderr


def test_another_rule_of_the_zone_stays(run, account):
    theirs = {
        "id": "0a",
        "ref": "theirs",
        "action": "rewrite",
        "expression": "true",
        "action_parameters": {"headers": {}},
    }
    account.rules = [theirs]
    run("deploy", "--yes")
    assert [rule["ref"] for rule in account.rules] == ["theirs", "jargonaut_edge_affinity"]
    run("destroy", "--yes")
    assert account.rules == [theirs]


def test_what_the_api_refuses_is_an_error_of_ours(account):
    with Cloudflare(ACCOUNT, TOKEN, f"{account.front}/client/v4") as api:
        assert api.deployments("missing") is None
        with pytest.raises(Exception, match="does not exist"):
            api.deploy("missing", [Share("x", 100)], "")
    with Cloudflare(ACCOUNT, "other", f"{account.front}/client/v4") as api, pytest.raises(CloudflareDeniedError):
        api.deployments("missing")


def test_tail_shows_requests_and_no_secrets(run, account):
    server = pytest.importorskip("websockets.sync.server", reason="the extra `cloudflare` is not installed")
    event = {
        "outcome": "exception",
        "eventTimestamp": 1764000000000,
        "event": {
            "request": {"url": f"https://{DOMAIN}/v1/search?q=secret", "method": "POST", "headers": {"x": "hidden"}},
            "response": {"status": 500},
        },
        "logs": [{"level": "error", "message": ["Request 1 failed."], "timestamp": 0}],
        "exceptions": [{"name": "TypeError", "message": "x is not a function", "timestamp": 0}],
    }

    def send(socket):
        socket.send(json.dumps(event).encode())

    with server.serve(send, "127.0.0.1", 0, subprotocols=["trace-v1"]) as sockets:
        threading.Thread(target=sockets.serve_forever, daemon=True).start()
        account.tail_url = f"ws://127.0.0.1:{sockets.socket.getsockname()[1]}"
        run("deploy", "--yes")
        shown = run("tail").stdout
        sockets.shutdown()
    assert shown.splitlines()[0].endswith("exception POST /v1/search 500")
    assert "error: Request 1 failed." in shown
    assert "TypeError: x is not a function" in shown
    assert "secret" not in shown
    assert "hidden" not in shown
    assert account.calls[-1][0] == "DELETE"


def test_dev_runs_the_edge_before_a_service_elsewhere(run, origin, tmp_path):
    line = CommandLine(tmp_path / "home", {"EDGE_SECRET": SECRET, "ORIGIN_TOKEN": "t"})
    with line.start("edge", "dev", "--port", "0", "--config", run.path) as process:
        try:
            url = process.stdout.readline().split()[1]
            body = {"model": "handbook", "messages": [{"role": "user", "content": "q"}]}
            said = httpx.post(f"{url}/v1/chat/completions", json=body, headers={"authorization": "Bearer key-1"})
            assert said.headers["x-jargonaut-cache"] == "MISS"
        finally:
            process.terminate()
            process.communicate()


def test_the_timeline_of_the_documentation_is_what_happens(run, account):
    from tests.documentation import assert_matches, commands_of

    page = (Path(__file__).parents[2] / "docs/edge.md").read_text()
    block = re.search(r"<!-- timeline -->\n```console\n(.*?)```", page, re.S)
    assert block is not None
    for command, expected in commands_of(block[1]):
        assert command.startswith("jargonaut edge ")
        assert_matches(run(*shlex.split(command)[2:]).stdout, expected, command)
    assert account.scripts == {}
