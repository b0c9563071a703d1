"""How one person reaches the program, on each channel."""

TOWN = 1  # the township that they reach
