import threading

import pytest

from jargonaut.core.errors import ConflictError


class JournalContract:
    """What every `Journal` must do. Subclasses give `journal` and `another`, two clients of one store."""

    def test_events_are_numbered_without_gaps(self, journal):
        first = journal.append("kb/a/b", 0, "deleted", {"uris": ["x"]})
        second = journal.append("kb/a/b", 1, "restored", {"uris": ["x", "文档"]})
        assert [first.sequence, second.sequence] == [1, 2]
        assert journal.read("kb/a/b") == [first, second]
        assert journal.read("kb/a/b", after=1) == [second]
        assert journal.read("kb/a/b", after=2) == []

    def test_streams_are_apart(self, journal):
        journal.append("kb/a/b", 0, "deleted", {})
        journal.append("kb/a/c", 0, "deleted", {})
        journal.append("keys/a", 0, "issued", {})
        assert journal.streams("kb/") == ["kb/a/b", "kb/a/c"]
        assert len(journal.read("kb/a/c")) == 1

    @pytest.mark.parametrize("after", [0, 2, 7])
    def test_only_the_head_can_be_appended_to(self, journal, after):
        journal.append("s", 0, "first", {})
        with pytest.raises(ConflictError):
            journal.append("s", after, "second", {})
        assert [event.kind for event in journal.read("s")] == ["first"]

    def test_another_client_sees_it_at_once(self, journal, another):
        journal.append("s", 0, "first", {"n": 1})
        assert another.read("s")[0].body == {"n": 1}
        another.append("s", 1, "second", {})
        with pytest.raises(ConflictError):
            journal.append("s", 1, "second", {})

    def test_concurrent_writers_lose_nothing(self, journal, another):
        def write(client, name):
            for number in range(20):
                while True:
                    try:
                        client.append("s", len(client.read("s")), name, {"n": number})
                        break
                    except ConflictError:
                        continue

        threads = [
            threading.Thread(target=write, args=(client, f"w{i}")) for i, client in enumerate([journal, another])
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        events = journal.read("s")
        assert [event.sequence for event in events] == list(range(1, 41))
        assert [e.body["n"] for e in events if e.kind == "w0"] == list(range(20))
        assert [e.body["n"] for e in events if e.kind == "w1"] == list(range(20))
