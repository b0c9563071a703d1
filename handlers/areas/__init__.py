"""Places: the township's areas, landmarks, stations and households, their import and their lookup."""
