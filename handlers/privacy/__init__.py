"""Privacy: consent before anything else, erasing on request, by age and when somebody leaves (PIPL)."""
