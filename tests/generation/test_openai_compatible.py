"""Models over HTTP: what is sent, what is understood of the answer, and what becomes of every failure."""

import asyncio
from contextlib import aclosing

import pytest

from jargonaut.core.deadline import Deadline
from jargonaut.core.document import Place
from jargonaut.core.errors import DeadlineError, UnavailableError
from jargonaut.generation.chat_endpoint import ChatEndpoint
from jargonaut.generation.extractive import ExtractiveGenerator
from jargonaut.generation.ledger import TokenLedger
from jargonaut.generation.openai_compatible import GenerationLimits, OpenAiCompatibleGenerator, models_of, recipe_name
from jargonaut.generation.port import Passage, TokenUsage, Turn
from jargonaut.index.port import StoredChunk
from tests.generation.faulty_endpoint import DONE, Reply, endpoint, event, says


def passage(number, text):
    chunk = StoredChunk(
        f"c{number}",
        f"d{number}",
        f"{number}.md",
        "Pumps",
        ("Pumps",),
        text,
        0,
        len(text),
        0,
        "paragraph",
        Place(),
        "en",
        {},
    )
    return Passage(number, chunk, 1.0)


PASSAGES = [passage(1, "The pump P-200 is oiled every month."), passage(2, "Wear gloves when you oil it.")]
GOOD = says("The pump is oiled", " every month. [", "1] Wear gloves", " [2].")
ALL = [("The pump is oiled every month.", (1,)), ("Wear gloves.", (2,))]


def generator(*endpoints, fallback=None, ledger=None, attempts=2, concurrency=8, **options):
    made = [
        ChatEndpoint(one.url, f"model-{number}", "s3cret", **{"first_byte_s": 2, "stall_s": 0.5, **options})
        for number, one in enumerate(endpoints, start=1)
    ]
    limits = GenerationLimits(attempts=attempts, concurrency=concurrency)
    return OpenAiCompatibleGenerator(made, limits, ledger or TokenLedger(), fallback=fallback)


async def ask(asked, question="How often is the pump oiled?", seconds=10.0):
    statements, usage = [], None
    try:
        async for item in asked.generate(question, PASSAGES, Deadline.after(seconds)):
            if isinstance(item, TokenUsage):
                usage = item
            else:
                statements.append((item.text, item.cites))
    finally:
        await asked.close()
    return statements, usage


async def test_sentences_come_with_what_they_cite_and_what_it_took():
    ledger = TokenLedger()
    with endpoint(GOOD) as served:
        statements, usage = await ask(generator(served, ledger=ledger))
    assert statements == ALL
    assert usage == TokenUsage(70, 9)
    sent = served.requests[0]
    assert (sent["model"], sent["stream"], sent["temperature"]) == ("model-1", True, 0)
    assert sent["stream_options"] == {"include_usage": True}
    assert [message["role"] for message in sent["messages"]] == ["system", "user"]
    assert '"text": "The pump P-200 is oiled every month."' in sent["messages"][1]["content"]
    assert served.headers[0]["authorization"] == "Bearer s3cret"
    spent = ledger.totals()["model-1"]
    assert (spent.requests, spent.failed, spent.prompt_tokens, spent.completion_tokens) == (1, 0, 70, 9)


async def test_eas_gets_its_token_bare():
    with endpoint(GOOD) as served:
        await ask(generator(served, authorization="token"))
    assert served.headers[0]["authorization"] == "s3cret"


async def test_tokens_that_nobody_counts_are_counted_by_us():
    ledger = TokenLedger()
    with endpoint(says("Every month. [1]", usage=False)) as served:
        _, usage = await ask(generator(served, ledger=ledger))
    assert usage.prompt > 100
    assert 0 < usage.completion < 10
    assert ledger.totals()["model-1"].estimated == 1


@pytest.mark.parametrize("status", [429, 500, 502, 503, 408])
async def test_before_the_first_byte_it_is_tried_again(status):
    ledger = TokenLedger()
    with endpoint(Reply(status=status, headers={"retry-after": "0"}), GOOD) as served:
        statements, _ = await ask(generator(served, ledger=ledger))
    assert statements == ALL
    assert len(served.requests) == 2
    assert ledger.totals()["model-1"].failed == 1


async def test_the_next_endpoint_is_asked_when_one_gives_up():
    with endpoint(Reply(status=500, headers={"retry-after": "0"})) as broken, endpoint(GOOD) as works:
        statements, _ = await ask(generator(broken, works))
    assert statements == ALL
    assert (len(broken.requests), len(works.requests)) == (2, 1)
    assert works.requests[0]["model"] == "model-2"


@pytest.mark.parametrize("status", [400, 401, 403, 404])
async def test_what_is_refused_is_not_asked_again(status):
    with endpoint(Reply(status=status)) as broken, endpoint(GOOD) as works:
        statements, _ = await ask(generator(broken, works))
    assert statements == ALL
    assert len(broken.requests) == 1


async def test_an_endpoint_that_is_not_there_is_passed_over():
    with endpoint(GOOD) as gone:
        pass
    with endpoint(GOOD) as works:
        statements, _ = await ask(generator(gone, works, attempts=1))
    assert statements == ALL


async def test_one_that_does_not_begin_in_time_is_passed_over():
    async def never(writer, reply):
        await asyncio.sleep(30)

    with endpoint(GOOD) as silent, endpoint(GOOD) as works:
        silent.send = never
        statements, _ = await ask(generator(silent, works, attempts=1, first_byte_s=0.3))
    assert statements == ALL


async def test_without_any_endpoint_the_answer_is_quoted_or_fails():
    with endpoint(Reply(status=500, headers={"retry-after": "0"})) as broken:
        statements, usage = await ask(generator(broken, fallback=ExtractiveGenerator()))
        assert statements[0] == ("The pump P-200 is oiled every month.", (1,))
        assert usage is None
        with pytest.raises(UnavailableError) as failed:
            await ask(generator(broken))
    assert "s3cret" not in str(failed.value)
    assert failed.value.retryable


BEGUN = event("The pump is oiled every month. [1] Wear")
BROKEN = {
    "stalls": Reply([BEGUN], then="stall"),
    "is cut": Reply([BEGUN], then="cut"),
    "ends without an end": Reply([BEGUN]),
    "is malformed": Reply([BEGUN, b"data: {not json\n\n"]),
    "is of another shape": Reply([BEGUN, b'data: ["a list"]\n\n']),
    "reports an error": Reply([BEGUN, b'data: {"error": {"message": "CUDA out of memory"}}\n\n', DONE]),
    "has no end of line": Reply([BEGUN, b"data: " + b"x" * (1 << 20) + b"y"]),
    "is half a character": Reply([BEGUN, b'data: {"choices": [{"delta": {"content": "\xe6\xb3', b'"}}]}\n\n', DONE]),
}


@pytest.mark.parametrize("reply", BROKEN.values(), ids=BROKEN)
async def test_what_has_begun_is_not_begun_anew(reply):
    ledger = TokenLedger()
    shown = []
    with endpoint(reply) as served, endpoint(GOOD) as other:
        asked = generator(served, other, ledger=ledger, fallback=ExtractiveGenerator())
        items = asked.generate("How often?", PASSAGES, Deadline.after(10))
        shown.append(await anext(items))
        with pytest.raises(UnavailableError) as failed:
            await anext(items)
        await asked.close()
    assert [(one.text, one.cites) for one in shown] == ALL[:1], "what was whole was shown"
    assert other.requests == []
    assert len(served.requests) == 1
    assert "CUDA" not in str(failed.value), "what an endpoint says of itself is not for everyone"
    assert ledger.totals()["model-1"].failed == 1


async def test_a_character_may_come_in_halves():
    text = event("泵每月加油一次。[1]")
    cuts = [text[at : at + 1] for at in range(len(text))]
    with endpoint(Reply([*cuts, event(finish="stop"), DONE])) as served:
        statements, _ = await ask(generator(served))
    assert statements == [("泵每月加油一次。", (1,))]


@pytest.mark.parametrize("separator", [b"\r\n\r\n", b"\n\n"])
async def test_comments_and_other_line_ends_are_understood(separator):
    raw = b": ping" + separator + event("Every month. [1]").strip() + separator + b"data:[DONE]" + separator
    with endpoint(Reply([raw[:30], raw[30:]])) as served:
        statements, _ = await ask(generator(served))
    assert statements == [("Every month.", (1,))]


async def test_the_deadline_holds():
    with endpoint(Reply([BEGUN], then="stall")) as served, pytest.raises((DeadlineError, UnavailableError)):
        await ask(generator(served, stall_s=20), seconds=0.4)


async def test_who_waits_too_long_for_a_turn_is_told():
    with endpoint(Reply([BEGUN], then="stall")) as served:
        asked = generator(served, stall_s=20, concurrency=1)
        async with aclosing(asked.generate("How often?", PASSAGES, Deadline.after(10))) as first:
            await anext(first)
            with pytest.raises(UnavailableError, match="places"):
                await anext(asked.generate("How often?", PASSAGES, Deadline.after(0.2)))
        await asked.close()


async def test_no_more_at_once_than_allowed():
    with endpoint(GOOD) as served:
        asked = generator(served, concurrency=2)

        async def once():
            return [item async for item in asked.generate("How often?", PASSAGES, Deadline.after(10))]

        answers = await asyncio.gather(*(once() for _ in range(8)))
        await asked.close()
    assert all(len(answer) == 3 for answer in answers)
    assert served.most_open <= 2
    assert len(served.requests) == 8


async def test_who_goes_stops_the_model():
    ledger = TokenLedger()
    with endpoint(Reply([BEGUN] * 200, then="stall")) as served:
        asked = generator(served, ledger=ledger)
        async with aclosing(asked.generate("How often?", PASSAGES, Deadline.after(10))) as items:
            await anext(items)
        assert ledger.totals()["model-1"].failed == 1
        until = asyncio.get_running_loop().time() + 5
        while served.open and asyncio.get_running_loop().time() < until:
            await asyncio.sleep(0.01)
        assert served.open == 0, "the connection is closed, and so the work ends"
        await asked.close()


async def test_no_answer_is_none():
    with endpoint(says("NO_", "ANSWER")) as served:
        statements, _ = await ask(generator(served))
    assert statements == []


EARLIER = [Turn("user", "What is the pump P-200?"), Turn("assistant", "A centrifugal pump.")]


async def test_a_follow_up_is_made_to_stand_alone_by_the_model_or_else_by_rule():
    deadline = Deadline.after(10)
    with endpoint(says("How often is the pump", " P-200 oiled?")) as served:
        asked = generator(served)
        assert (
            await asked.standalone("How often is it oiled?", EARLIER, deadline) == "How often is the pump P-200 oiled?"
        )
        assert "What is the pump P-200?" in served.requests[0]["messages"][1]["content"]
        assert await asked.standalone("How is E-4017 cleared?", EARLIER[:1], deadline) == "How is E-4017 cleared?"
        assert len(served.requests) == 1, "what plainly stands alone costs nothing"
        await asked.close()
    for bad in (
        Reply(status=500, headers={"retry-after": "0"}),
        says("Sure! Here:\n1. x\n2. y"),
        says(" "),
        says("x" * 700),
    ):
        with endpoint(bad) as served:
            asked = generator(served)
            rewritten = await asked.standalone("How often is it oiled?", EARLIER, deadline)
            assert rewritten == "What is the pump P-200? How often is it oiled?"
            await asked.close()


def test_a_recipe_names_the_models_in_order():
    name = recipe_name(["qwen-plus", "qwen-turbo"], True)
    assert name == "openai-1:qwen-plus > openai-1:qwen-turbo > extractive-1"
    assert models_of(name) == (["qwen-plus", "qwen-turbo"], True)
    assert models_of(recipe_name(["a"], False)) == (["a"], False)
