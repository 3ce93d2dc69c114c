"""The formats that are only written, one module each."""
