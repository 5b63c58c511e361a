"""A real model behind a real server: xllamacpp with the GGUF file that JARGONAUT_GGUF names."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from jargonaut.core.deadline import Deadline
from jargonaut.generation.chat_endpoint import ChatEndpoint
from jargonaut.generation.ledger import TokenLedger
from jargonaut.generation.openai_compatible import GenerationLimits, OpenAiCompatibleGenerator
from jargonaut.generation.port import Turn
from tests.answering.handbook import Handbook
from tests.generation.faulty_endpoint import Reply, endpoint
from tests.serving.conftest import serving

MODEL = os.environ.get("JARGONAUT_GGUF", "")
pytestmark = [
    pytest.mark.skipif(find_spec("xllamacpp") is None, reason="xllamacpp is not installed (dependency group `models`)"),
    pytest.mark.skipif(not Path(MODEL).is_file(), reason="JARGONAUT_GGUF names no model in GGUF"),
    pytest.mark.slow,
    pytest.mark.timeout(900),
]


@pytest.fixture(scope="module")
def model_url():
    if url := os.environ.get("JARGONAUT_GGUF_URL"):
        yield url
        return
    command = [sys.executable, "-m", "tests.generation.llama_server", MODEL]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        yield server.stdout.readline().strip()
        server.terminate()


def generator(*urls, ledger=None):
    endpoints = [ChatEndpoint(f"{url}/v1", "qwen", first_byte_s=240, stall_s=120) for url in urls]
    return OpenAiCompatibleGenerator(endpoints, GenerationLimits(2500, 160), ledger or TokenLedger())


@pytest.fixture
def asked(tmp_path, model_url):
    handbook = Handbook(tmp_path)
    handbook.promote(handbook.build())
    ledger = TokenLedger()
    from jargonaut.serving.service import Limits

    with serving(handbook, generator=generator(model_url, ledger=ledger), limits=Limits(deadline_s=300)) as service:
        service.ledger = ledger
        yield service


def test_a_model_answers_with_checked_citations_and_what_it_took(asked):
    with asked.sdk() as client:
        question = {"role": "user", "content": "How many seconds does a session cookie live by default?"}
        stream = client.with_options(timeout=300).chat.completions.create(
            model="handbook", messages=[question], stream=True, stream_options={"include_usage": True}
        )
        chunks = list(stream)
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert "1209600" in text.replace(",", "")
    assert "[1]" in text
    cited = [
        item for chunk in chunks if chunk.choices for item in chunk.choices[0].delta.to_dict().get("annotations", [])
    ]
    assert {item["document_citation"]["document"] for item in cited} == {"ops/sessions.md"}
    usage = chunks[-1].usage
    assert usage.prompt_tokens > 200, "as the model counts them, documents included"
    assert asked.ledger.totals()["qwen"].estimated == 0


async def test_a_model_makes_a_follow_up_stand_alone(model_url):
    made = generator(model_url)
    earlier = [
        Turn("user", "What is the boiler's fusible plug for?"),
        Turn("assistant", "It melts when the boiler runs dry and puts out the fire."),
    ]
    rewritten = await made.standalone("How often is it replaced?", earlier, Deadline.after(240))
    await made.close()
    assert "plug" in rewritten.lower()


async def test_a_model_is_asked_after_one_that_fails(model_url):
    from tests.generation.test_openai_compatible import PASSAGES

    ledger = TokenLedger()
    with endpoint(Reply(status=503, headers={"retry-after": "0"})) as broken:
        made = generator(broken.url.removesuffix("/v1"), model_url, ledger=ledger)
        items = [item async for item in made.generate("How often is the pump oiled?", PASSAGES, Deadline.after(240))]
        await made.close()
    assert items[-1].prompt > 100, "it was asked, whatever it said"
    assert ledger.totals()["qwen"].failed == 3
