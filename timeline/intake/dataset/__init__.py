"""A publisher's file compared with the log, row by row."""
