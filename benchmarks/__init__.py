"""What the product costs, against its rivals and against the limit."""
