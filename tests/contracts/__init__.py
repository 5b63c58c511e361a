"""One class a port, inherited by each adapter's test."""
