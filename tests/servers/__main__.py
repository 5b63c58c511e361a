"""Fetch or run the servers from a shell. Tests use those that run."""

from __future__ import annotations

import signal
import sys

from tests.servers.artifacts import CACHE, NotHereError, fetch
from tests.servers.fixtures import STARTERS
from tests.servers.running import Running


def main(command: str, names: list[str]) -> None:
    """Do what is asked for."""
    try:
        fetch()
    except NotHereError as error:
        print(f"note: no Elasticsearch and OpenSearch for the tests: {error}", file=sys.stderr)
        if command == "run":
            raise SystemExit(1) from None
        return
    if command != "run":
        return
    running: list[Running] = []
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        for name in names or ["elasticsearch", "opensearch"]:
            running.append(STARTERS[name]())
            (CACHE / f"{name}.json").write_text(running[-1].server.to_json())
            print(f"{name:<24} {running[-1].server.url}", flush=True)
        print("Ready. Stop with Ctrl-C.", flush=True)
        signal.pause()
    except KeyboardInterrupt:
        pass
    finally:
        for one in running:
            one.stop()


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "fetch", sys.argv[2:])
