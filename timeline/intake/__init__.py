"""Make entries of files: a sheet, a publisher's dataset, another copy of a log."""
