"""«待办»: what waits for a person, of every kind together."""
