"""The way in: what a channel receives becomes rows, a batch, and a step of a conversation."""
