"""Jargonaut: documents in, a proven, cited, permission-aware RAG API out."""

__version__ = "0.1.0"
