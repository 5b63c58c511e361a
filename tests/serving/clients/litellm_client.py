"""Asks with LiteLLM, in the clients' own environment: URL and key as arguments, JSON on standard output."""

import json
import os
import sys

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # else it looks for one on the network

import litellm

litellm.telemetry = False
url, key = sys.argv[1:]
common = {"model": "openai/handbook", "api_base": f"{url}/v1", "api_key": key, "num_retries": 0}
messages = [{"role": "user", "content": "What is the default of SESSION_COOKIE_AGE?"}]
whole = litellm.completion(messages=messages, **common)
streamed = litellm.completion(messages=messages, stream=True, **common)
embedded = litellm.embedding(input=["a session", "a cookie"], encoding_format="float", **common)
ranked = litellm.rerank(
    model="jina_ai/handbook",
    api_base=f"{url}/v1/rerank",
    api_key=key,
    query="session cookie",
    documents=["a valve", "the session cookie"],
    top_n=1,
)
print(
    json.dumps(
        {
            "whole": whole.choices[0].message.content,
            "tokens": whole.usage.total_tokens,
            "streamed": "".join(chunk.choices[0].delta.content or "" for chunk in streamed if chunk.choices),
            "widths": [len(item["embedding"]) for item in embedded.data],
            "best": ranked.results[0]["index"],
        }
    )
)
