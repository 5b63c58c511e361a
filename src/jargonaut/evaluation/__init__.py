"""A labelled collection, measured: every way to rank it, side by side."""
