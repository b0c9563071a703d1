"""Tip-offs and their verification: cases, their events, and the vault that knows who reported (D8, D47)."""
