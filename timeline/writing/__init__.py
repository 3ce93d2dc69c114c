"""Apply the rules by which a statement becomes an entry; this is the only way into the log."""
