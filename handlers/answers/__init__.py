"""Short answers: small talk, what is handled elsewhere, and the question which of several things was meant."""
