"""Make the tables that follow from the log: folded entry by entry, dropped and rebuilt."""
