"""Finds likely duplicates and misspellings, for a person to decide on."""
