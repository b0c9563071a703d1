"""Weighing in: what people say of a weight, one line or a form, and what is written of it."""
