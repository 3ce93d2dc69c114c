"""How events are written elsewhere: prose, sheets, slides, feeds, calendars, maps."""
