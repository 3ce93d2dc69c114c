"""What a stranger can check: checkpoints, proofs of entries, a whole file verified."""
