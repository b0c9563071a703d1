"""Telling browsers that something waits for their page: when, and when not."""
