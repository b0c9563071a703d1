"""What keeps the office's own doors: who looked up a reporter, personal PINs."""
