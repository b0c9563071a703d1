"""Households: who belongs to one or acts for it, and whose a reward is."""
