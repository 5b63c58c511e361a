"""Recipes, revisions and releases; promote, roll back, compare."""
