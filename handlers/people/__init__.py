"""People: roles and invitations, joined contacts, reminders, the menu, who answers for a place."""
