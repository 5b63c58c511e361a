"""Question to answer, with citations that are checked."""
