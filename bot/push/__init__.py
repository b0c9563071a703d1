"""Web Push: a browser whose page is closed is told that something waits, never what."""
