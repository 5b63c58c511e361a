"""Text to unit vectors, without torch."""
