"""Products that are played, and what must hold of each."""
