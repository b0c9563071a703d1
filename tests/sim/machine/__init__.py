"""What the program runs on: time, a database, a server, and the workers in their lives."""
