"""Makes copies for readers: a checked file, a kit for hosts, the whole site as files."""
