"""Points and subsidies as people see them: a balance and every entry with its reason."""
