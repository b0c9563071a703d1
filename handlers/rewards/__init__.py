"""Rewards for reports: nobody but the reporter sees them, until they themselves say otherwise."""
