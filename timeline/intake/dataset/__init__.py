"""Compare a publisher's file with the log, row by row."""
