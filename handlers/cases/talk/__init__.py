"""What is said with people about reports beside the forms: their questions, their impatience, their name."""
