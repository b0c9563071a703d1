"""The ordinary platform: what people write on, how a worker reaches it, and the people."""
