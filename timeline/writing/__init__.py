"""The rules by which a statement becomes an entry, and the only way into the log."""
