"""The room where a sheet is looked at as a whole before anything of it is recorded."""
