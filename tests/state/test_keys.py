import hashlib
import json
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from jargonaut.core.errors import InputError, RuleError, UnavailableError, UnknownNameError
from jargonaut.state.keys import KeyRequest, KeyRing, key_digest
from jargonaut.state.sqlite import SqliteJournal


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state.sqlite"


@pytest.fixture
def ring(path):
    return KeyRing(SqliteJournal(path), ["acme", "globex"])


def test_a_key_opens_what_it_was_issued_for(ring):
    issued = ring.issue("acme", KeyRequest("ci", ["group:hr"], ["write"]))
    key = ring.authenticate(key_digest(issued.secret))
    assert key == issued.key
    assert key.tenant == "acme"
    assert key.principals == {"group:hr", "public"}
    assert key.scopes == {"read", "write"}


def test_the_secret_is_stored_nowhere(ring, path):
    secret = ring.issue("acme", KeyRequest("ci")).secret
    assert secret.startswith("jg_")
    assert "acme" not in secret
    assert len(secret) - len("jg_") == 43, "256 bits in base64url"
    with sqlite3.connect(path) as connection:
        stored = json.dumps(connection.execute("SELECT * FROM event").fetchall())
    connection.close()
    assert secret not in stored
    assert secret[3:] not in stored
    assert hashlib.sha256(secret.encode()).hexdigest() in stored


def test_the_secret_is_not_in_the_repr(ring):
    issued = ring.issue("acme", KeyRequest("ci"))
    assert issued.secret not in repr(issued)


def test_a_revoked_key_opens_nothing_at_once_for_other_processes_too(ring, path):
    other = KeyRing(SqliteJournal(path), ["acme", "globex"])
    issued = ring.issue("acme", KeyRequest("ci"))
    digest = key_digest(issued.secret)
    assert other.authenticate(digest) is not None
    revoked = ring.revoke("acme", issued.key.id)
    assert revoked.revoked_at is not None
    assert other.authenticate(digest) is None
    assert ring.revoke("acme", issued.key.id) == revoked, "silent the second time"
    assert [key.revoked_at for key in other.issued("acme")] == [revoked.revoked_at]


def test_an_expired_key_opens_nothing(ring):
    issued = ring.issue("acme", KeyRequest("ci", lifetime=timedelta(hours=1)))
    now = datetime.now(UTC)
    assert issued.key.is_valid(now)
    assert not issued.key.is_valid(now + timedelta(hours=1, seconds=1))
    brief = ring.issue("acme", KeyRequest("ci", lifetime=timedelta(microseconds=1)))
    assert ring.authenticate(key_digest(brief.secret)) is None


def test_an_unknown_key_opens_nothing(ring):
    ring.issue("acme", KeyRequest("ci"))
    assert ring.authenticate(key_digest("jg_unknown")) is None
    assert ring.authenticate("") is None


def test_a_key_of_a_tenant_that_is_not_served_opens_nothing(ring, path):
    secret = ring.issue("globex", KeyRequest("ci")).secret
    assert KeyRing(SqliteJournal(path), ["acme"]).authenticate(key_digest(secret)) is None


def test_the_ring_is_empty_only_until_the_first_key(ring):
    assert ring.is_empty()
    issued = ring.issue("globex", KeyRequest("ci"))
    assert not ring.is_empty()
    ring.revoke("globex", issued.key.id)
    assert not ring.is_empty(), "revoking the last key must not open the doors"


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        (KeyRequest(""), InputError),
        (KeyRequest(" \n"), InputError),
        (KeyRequest("x" * 101), InputError),
        (KeyRequest("two\nlines"), InputError),
        (KeyRequest("ci", ["hr"]), RuleError),
        (KeyRequest("ci", ["group:a b"]), RuleError),
        (KeyRequest("ci", scopes=["root"]), InputError),
        (KeyRequest("ci", scopes=[]), InputError),
        (KeyRequest("ci", lifetime=timedelta(0)), InputError),
        (KeyRequest("ci", lifetime=timedelta.max), InputError),
    ],
)
def test_what_cannot_be_a_key_is_refused(ring, request_, error):
    with pytest.raises(error):
        ring.issue("acme", request_)
    assert ring.issued("acme") == []


def test_unknown_names_are_refused(ring):
    with pytest.raises(UnknownNameError, match="globex"):
        ring.issue("globx", KeyRequest("ci"))
    with pytest.raises(UnknownNameError):
        ring.revoke("acme", "k_nobody")


def test_many_may_issue_at_once(path):
    rings = [KeyRing(SqliteJournal(path), ["acme"]) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        secrets = list(pool.map(lambda at: rings[at % 4].issue("acme", KeyRequest(f"key {at}")).secret, range(16)))
    assert len(set(secrets)) == 16
    assert all(rings[0].authenticate(key_digest(secret)) is not None for secret in secrets)


def test_nobody_is_let_in_if_the_state_cannot_be_read(ring, path):
    secret = ring.issue("acme", KeyRequest("ci")).secret
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TABLE event")
    connection.close()
    with pytest.raises(UnavailableError):
        ring.authenticate(key_digest(secret))
