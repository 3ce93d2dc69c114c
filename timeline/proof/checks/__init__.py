"""Holds the parts of a verification."""
