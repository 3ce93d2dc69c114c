"""Files that become entries: a sheet, a publisher's dataset, another copy of a log."""
