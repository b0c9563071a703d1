"""SQL and nothing else: one file for each family of tables, the SQL beside its function."""
