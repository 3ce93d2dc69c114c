"""Recognise the files that people attach, and take out of them what nobody should publish."""
