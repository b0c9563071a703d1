"""Other ways to write the same bot, as lean as their best users would write them."""
