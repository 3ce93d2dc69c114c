"""Deliver new entries of a log to a program or a server, once each."""
