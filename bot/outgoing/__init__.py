"""The way out: what is due, sent and marked."""
