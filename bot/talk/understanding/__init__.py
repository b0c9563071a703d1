"""What people say, understood in one way: what stands in a message, and which of the things to say it is."""
