"""The web chat: its page, its API, the photos, and what a monitor asks."""
