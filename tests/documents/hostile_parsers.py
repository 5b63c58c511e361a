"""Parsers that misbehave in every way that a real one can, for the worker pool's tests."""

import os
import re
import sys
import time

from jargonaut.core.errors import InputError
from jargonaut.documents.formats.text import TextParser
from jargonaut.documents.heartbeat import beat


class Hostile:
    def parse(self, data, uri):  # noqa: C901 - one way after the other
        action = data.decode().strip()
        if action == "hang":
            # One call into C that never gives the interpreter back.
            re.match(r"(a+)+$", "a" * 64 + "b")
        elif action == "sleep":
            time.sleep(3600)
        elif action in ("long", "drum"):
            for _ in range(6 if action == "long" else 1_000_000):
                time.sleep(0.5 if action == "long" else 0.01)
                beat()
        elif action == "abort":
            os.abort()
        elif action == "exit":
            os._exit(3)
        elif action == "memory":
            bytearray(1 << 40)
        elif action == "recursion":
            return self.parse(data, uri)
        elif action == "bug":
            raise KeyError("nothing here")
        elif action == "refuse":
            raise InputError("It is not to my taste.", "Offer tea.")
        elif action == "noise":
            print("to standard output" * 1000)
            sys.stderr.write("to standard error" * 1000)
        elif action == "grow":
            bytearray(400 << 20)
        elif action == "whoami":
            data = str(os.getpid()).encode()
        return TextParser().parse(data, uri)
