"""Questions with what answers them, in every shape that people have them in."""
