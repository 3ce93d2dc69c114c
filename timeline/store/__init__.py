"""Keep the file: entries as bytes, the hash tree over them, the log that only grows."""
