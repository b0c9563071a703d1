"""Photos and videos: what they are, where they lie, how they come and go."""
