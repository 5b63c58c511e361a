#!/usr/bin/env bash
# Runs a command in a network of its own that has the loopback device only, so that nothing it starts can reach further.
# Where the system does not allow that, the command runs as it is, and only Python's own sockets are held to loopback
# (tests/conftest.py).
set -euo pipefail
if [ "$(uname)" = Linux ] && unshare --net sh -c 'ip link set lo up' 2>/dev/null; then
    exec unshare --net sh -c 'ip link set lo up && exec "$@"' sh "$@"
fi
echo "note: no network namespace here; only Python's sockets are limited to loopback" >&2
exec "$@"
