"""Tables about people: contacts, roles, households, invitations, and how they are forgotten."""
