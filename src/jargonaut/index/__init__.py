"""Filtered candidates, dense and lexical."""
