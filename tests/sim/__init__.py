"""The simulator: one seed drives time, ids, chance, faults, duplicates, reordering and crashes at every await."""
