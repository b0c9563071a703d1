"""The county: what its staff see of every township, and nothing that names a person there."""
