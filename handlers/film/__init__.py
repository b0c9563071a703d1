"""Film by weight: weigh-ins, their tickets, what a ticket is worth, objections and corrections."""
