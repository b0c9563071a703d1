"""Photos and videos: attached to what people file, fetched, and erased when they were kept long enough."""
