"""A real HTTP server that speaks as an OpenAI-compatible endpoint does, and fails as those do."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field


def event(text="", finish=None, usage=None):
    choices = [] if usage else [{"index": 0, "delta": {"content": text}, "finish_reason": finish}]
    body = {"object": "chat.completion.chunk", "choices": choices, "usage": usage}
    return f"data: {json.dumps(body, ensure_ascii=False)}\n\n".encode()


USAGE = event(usage={"prompt_tokens": 70, "completion_tokens": 9, "total_tokens": 79})
DONE = b"data: [DONE]\n\n"


def says(*pieces, usage=True):
    """A whole answer in pieces."""
    return Reply([*(event(piece) for piece in pieces), event(finish="stop"), *[USAGE] * usage, DONE])


@dataclass
class Reply:
    """What is sent for one request."""

    parts: Sequence[bytes] = ()
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    then: str = "end"
    """`end`, `stall` (send nothing more), or `cut` (close without the end of the body)."""


@dataclass
class Endpoint:
    """A running endpoint: replies in order, the last one again and again."""

    url: str
    replies: list[Reply | Callable[[dict], Reply]]
    requests: list[dict] = field(default_factory=list)
    headers: list[dict] = field(default_factory=list)
    open: int = 0
    most_open: int = 0

    async def handle(self, reader, writer):
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = dict(line.lower().split(": ", 1) if ": " in line else (line, "") for line in head[1:] if line)
            original = {line.split(": ", 1)[0].lower(): line.split(": ", 1)[1] for line in head[1:] if ": " in line}
            body = json.loads(await reader.readexactly(int(headers["content-length"])))
            self.requests.append(body)
            self.headers.append(original)
            reply = self.replies[min(len(self.requests), len(self.replies)) - 1]
            with self.counted() as told:
                await self.send(writer, reply(body) if callable(reply) else reply, told)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    @contextmanager
    def counted(self):
        """While a request is open. It is over for who asks when the last part is told, so `told` ends it before."""
        left = []

        def told():
            if not left:
                left.append(True)
                self.open -= 1

        self.open += 1
        self.most_open = max(self.most_open, self.open)
        try:
            yield told
        finally:
            told()

    async def send(self, writer, reply, told):
        lines = [f"HTTP/1.1 {reply.status} X", "content-type: text/event-stream", "transfer-encoding: chunked"]
        lines += [f"{name}: {value}" for name, value in reply.headers.items()]
        writer.write("\r\n".join([*lines, "", ""]).encode())
        for number, part in enumerate(reply.parts, start=1):
            if number == len(reply.parts) and reply.then == "end":
                told()
            writer.write(f"{len(part):x}\r\n".encode() + part + b"\r\n")
            await writer.drain()
            await asyncio.sleep(0.002)  # parts arrive apart
        if reply.then == "stall":
            await asyncio.sleep(30)
        if reply.then == "end":
            writer.write(b"0\r\n\r\n")
            await writer.drain()


@contextmanager
def endpoint(*replies):
    """Serve `replies` on a port of this machine."""
    loop = asyncio.new_event_loop()
    served = Endpoint("", list(replies))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    starting = asyncio.start_server(served.handle, "127.0.0.1", 0, limit=1 << 22)
    server = asyncio.run_coroutine_threadsafe(starting, loop).result(10)
    served.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    try:
        yield served
    finally:

        async def stop():
            server.close()
            tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
