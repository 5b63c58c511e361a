"""Parsers that do what none may, for the test of the fence."""

import os
import socket
from pathlib import Path

from jargonaut.documents.formats.text import TextParser


class Escaping:
    def parse(self, data, uri):
        action = data.decode().strip()
        if action == "write":
            Path(os.environ["HOME"], "notes.txt").write_text("out")
        elif action == "call":
            socket.create_connection(("192.0.2.7", 80), timeout=1)
        elif action == "start":
            os.system("true")
        return TextParser().parse(data, uri)
