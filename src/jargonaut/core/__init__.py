"""The nouns and rules of the domain. Standard library and numpy only."""
