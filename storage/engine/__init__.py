"""The engines behind `storage.database`: SQLite, PostgreSQL, migration, leases, copying."""
