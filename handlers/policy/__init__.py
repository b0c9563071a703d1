"""Policy: every number a township sets, in versioned TOML with the date from which it holds."""
