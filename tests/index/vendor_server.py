"""A server that answers and refuses as the vendors document, for what no registry has: modules, versions, licences."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np

from tests.index.lucene import connect
from tests.servers.running import Server

VECTOR = np.array([0.6, 0.8, 0.0], np.float32)


class VendorServer:
    """Answers as documented; `refusals` maps the beginning of a path to (status, type, reason)."""

    def __init__(self, engine):
        self.engine = engine
        self.licence = "enterprise"
        self.distribution, self.version = "opensearch", "8.19.4" if engine == "elasticsearch" else "3.5.0"
        self.vector = VECTOR.tolist()
        self.refusals = {}
        self.seen = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def handle_any(self):
                size = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(size) or b"null")
                outer.seen.append((self.command, self.path, body))
                status, answer = outer.answer(self.command, self.path.partition("?")[0], body)
                data = json.dumps(answer).encode()
                self.send_response(status)
                if outer.engine == "elasticsearch":
                    self.send_header("X-Elastic-Product", "Elasticsearch")
                    self.send_header("Content-Type", "application/vnd.elasticsearch+json;compatible-with=8")
                else:
                    self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_PUT = do_POST = do_DELETE = handle_any

            def log_message(self, *_):
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._http.serve_forever)
        self._thread.start()
        self.client = connect(Server(engine, f"http://127.0.0.1:{self._http.server_port}"))

    def close(self):
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()

    def answer(self, method, path, body):
        for beginning, (status, kind, reason) in self.refusals.items():
            if path.startswith(beginning):
                return status, {"error": {"type": kind, "reason": reason}, "status": status}
        if path == "/":
            about = {"number": self.version, "lucene_version": "9.12.0"}
            return 200, {"version": about | ({"distribution": self.distribution} if self.distribution else {})}
        if path.startswith("/_nodes"):
            return 200, {"nodes": {"n": {"version": self.version}}}
        if path == "/_license":
            return 200, {"license": {"type": self.licence, "status": "active"}}
        if path.startswith("/_inference") and method == "POST":
            return 200, {"text_embedding": [{"embedding": self.vector}]}
        if path.endswith("/_create"):
            return 200, {"connector_id": "c1"}
        if path.endswith("/_register"):
            return 200, {"task_id": "t1", "status": "CREATED", "model_id": "m1"}
        if path.endswith("/_predict"):
            output = {"name": "sentence_embedding", "data_type": "FLOAT32", "shape": [3], "data": self.vector}
            return 200, {"inference_results": [{"output": [output], "status_code": 200}]}
        if path.endswith("/_simulate"):
            return 200, {"docs": [{"doc": {"_source": {**body["docs"][0]["_source"], "vector": self.vector}}}]}
        return 200, {"acknowledged": True}

    def sent(self, path):
        return [body for _, seen, body in self.seen if seen.partition("?")[0] == path]
