"""Tables of the machine: inbox, outbox, sessions, timers, media, channels."""
