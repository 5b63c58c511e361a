import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from jargonaut.core.errors import UnavailableError
from jargonaut.core.progress import silent
from jargonaut.training.written import Writer, usable, written_pairs
from tests.training.corpus import PAGES, cut, parsed


class Endpoint(BaseHTTPRequestHandler):
    """Speaks OpenAI's chat completions; `asked` holds what it was sent, `fails_after` how often it answers."""

    asked: list
    fails_after = 1000

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.asked.append((self.headers.get("authorization"), body))
        if len(self.asked) > type(self).fails_after:
            self.send_error(503)
            return
        text = f"1. How would somebody keep a visitor known number {len(self.asked)}?\n- ok?"
        answer = json.dumps({"choices": [{"message": {"content": text}}]}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


@pytest.fixture
def endpoint():
    handler = type("Own", (Endpoint,), {"asked": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield handler, f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    server.server_close()


def chunks():
    return cut(parsed(PAGES))


def test_questions_are_written_once_and_kept(tmp_path, endpoint):
    handler, url = endpoint
    writer, kept = Writer(url, "any", "secret"), tmp_path / "work" / "written.jsonl"
    first = written_pairs(chunks(), writer, kept, 3, 7, silent)
    assert len(first) == 3
    assert {pair.source for pair in first} == {"written"}
    assert all(pair.query.startswith("How would somebody") for pair in first)
    assert handler.asked[0][0] == "Bearer secret"
    assert "secret" not in repr(writer)
    with kept.open("a") as file:
        file.write('{"chunk": "cut off by a kil')
    assert written_pairs(chunks(), writer, kept, 3, 7, silent) == first
    assert len(handler.asked) == 3


def test_what_was_written_before_a_failure_is_kept(tmp_path, endpoint):
    handler, url = endpoint
    handler.fails_after = 2
    kept = tmp_path / "written.jsonl"
    with pytest.raises(UnavailableError, match="wrote no questions"):
        written_pairs(chunks(), Writer(url, "any"), kept, 5, 7, silent)
    assert len(kept.read_text().splitlines()) == 2
    handler.fails_after = 1000
    written_pairs(chunks(), Writer(url, "any"), kept, 5, 7, silent)
    assert len(handler.asked) == 3 + 3


def test_an_endpoint_that_is_not_there_is_told(tmp_path):
    with pytest.raises(UnavailableError, match="writer_url"):
        written_pairs(chunks(), Writer("http://127.0.0.1:1/v1", "any"), tmp_path / "w.jsonl", 1, 7, silent)


def test_copies_and_talk_about_the_passage_are_no_questions():
    passage = "The cookie lives for two weeks unless the age is set in seconds by the operator."
    lines = [
        "Does the cookie lives for two weeks unless the age is set?",
        "What does this passage say about cookies?",
        "2) When does a visitor have to log in again?",
        "文中说了什么内容呢？",
        "访客多久需要重新登录一次？",
    ]
    assert usable(lines, passage) == ["When does a visitor have to log in again?", "访客多久需要重新登录一次？"]
