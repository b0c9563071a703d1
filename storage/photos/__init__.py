"""Photos beside each other: the same picture in two cases, and one that came in place of another."""
