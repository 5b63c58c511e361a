"""Asks with LangChain, in the clients' own environment: URL and key as arguments, JSON on standard output."""

import json
import sys

from langchain_openai import ChatOpenAI, OpenAIEmbeddings

url, key = sys.argv[1:]
chat = ChatOpenAI(model="handbook", base_url=f"{url}/v1", api_key=key, max_retries=0)
question = "What is the default of SESSION_COOKIE_AGE?"
whole = chat.invoke([("system", "You are helpful."), ("human", question)])
streamed = "".join(chunk.content for chunk in chat.stream(question))
embeddings = OpenAIEmbeddings(
    model="handbook", base_url=f"{url}/v1", api_key=key, check_embedding_ctx_length=False, max_retries=0
)
print(
    json.dumps(
        {
            "whole": whole.content,
            "tokens": whole.usage_metadata["total_tokens"],
            "streamed": streamed,
            "widths": [len(vector) for vector in embeddings.embed_documents(["a session", "a cookie"])],
            "query": len(embeddings.embed_query("a session")),
        }
    )
)
