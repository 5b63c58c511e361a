"""Evidence that a recipe is better: queries, metrics, intervals, gate, report."""
