"""Tables of the product: places, policy, cases, film, duties, the ledger."""
