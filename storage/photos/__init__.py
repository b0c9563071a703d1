"""Photos and videos: whose they are, which of them look alike, and which files have to be there."""
