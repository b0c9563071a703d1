"""Who asks: the cookies that we made, the pages they open, the townships."""
