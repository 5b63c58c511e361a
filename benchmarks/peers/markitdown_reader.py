"""Reads files with markitdown: paths on standard input, a line of JSON each on standard output.

Runs in the peers' environment, and so imports nothing of ours.
"""

import json
import os
import sys
import time

from markitdown import MarkItDown

answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
os.dup2(2, 1)
converter = MarkItDown(enable_plugins=False)
for line in sys.stdin:
    path = line.rstrip("\n")
    started = time.process_time()
    try:
        answer = {"markdown": converter.convert(path).markdown}
    except Exception as error:  # noqa: BLE001 - whatever a tool does with a file is its result
        answer = {"error": f"{type(error).__name__}: {str(error)[:300]}"}
    answer |= {"path": path, "seconds": time.process_time() - started}
    answers.write(json.dumps(answer, ensure_ascii=False) + "\n")
    answers.flush()
