"""Sealing: what tells who somebody is or what they said can't be read without a key that lies outside the database."""
