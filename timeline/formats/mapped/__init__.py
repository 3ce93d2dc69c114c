"""Any CSV or JSON file, for which a mapping says which column fills which field of an event."""
