"""Printed codes: what happens when one is scanned, and what is printed beside it."""
