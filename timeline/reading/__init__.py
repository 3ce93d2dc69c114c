"""Answers every question to a timeline, now or as of any moment. Writes nothing."""
