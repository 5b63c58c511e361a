"""Two candidate lists to one ranking."""
