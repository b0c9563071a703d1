"""The product: one folder for each capability, joined by the table in `registry`."""
