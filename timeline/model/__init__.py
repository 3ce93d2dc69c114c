"""Everything that can be said: events, sources, actors, and the dates, places and words in them."""
