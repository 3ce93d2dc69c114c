"""The publishers whose files are only read, one module each."""
