"""Stand-ins for the world outside, used by tests and benchmarks."""
