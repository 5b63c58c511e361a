"""Asks with LlamaIndex, in the clients' own environment: URL and key as arguments, JSON on standard output."""

import json
import sys

from llama_index.core.llms import ChatMessage
from llama_index.embeddings.openai_like import OpenAILikeEmbedding
from llama_index.llms.openai_like import OpenAILike

url, key = sys.argv[1:]
llm = OpenAILike(model="handbook", api_base=f"{url}/v1", api_key=key, is_chat_model=True, max_retries=0)
question = ChatMessage(role="user", content="What is the default of SESSION_COOKIE_AGE?")
embedding = OpenAILikeEmbedding(model_name="handbook", api_base=f"{url}/v1", api_key=key, max_retries=0)
print(
    json.dumps(
        {
            "whole": llm.chat([question]).message.content,
            "streamed": "".join(part.delta or "" for part in llm.stream_chat([question])),
            "widths": [len(vector) for vector in embedding.get_text_embedding_batch(["a session", "a cookie"])],
            "query": len(embedding.get_query_embedding("a session")),
        }
    )
)
