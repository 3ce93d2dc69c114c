"""Keep what machines propose in an inbox, checked against the log, until a person decides.

Readers of the log and of the inbox; nothing here reaches the writer.
"""
