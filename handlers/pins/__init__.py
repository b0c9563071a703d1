"""A PIN, asked for again before money is released or somebody is revealed: signed in is not yet who is there."""
