"""The commands: each module has those about one subject."""
