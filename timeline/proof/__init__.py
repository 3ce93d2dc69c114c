"""Lets a stranger check a log: checkpoints, proofs of single entries, a whole file."""
