"""Tuning an encoder on the documents. The only place where torch is imported, and only when it trains."""
