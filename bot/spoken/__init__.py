"""What people may say, as it lies beside the texts, and the model that is learnt from it."""
