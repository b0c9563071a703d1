"""People: consent, roles and invitations, joined contacts, households, erasure, reminders, the menu."""
