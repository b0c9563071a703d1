"""The daily digest: the day's figures for staff, by their areas; any day again with the same figures."""
