"""One file for each chat platform, behind the one interface of `base`."""
