"""What staff decide about a case: true, not true, a duplicate; taken back in time, or decided anew by somebody else."""
