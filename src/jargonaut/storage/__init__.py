"""Immutable bytes by key."""
