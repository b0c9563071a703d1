"""Backups of a SQLite deployment: made, checked, put back."""
