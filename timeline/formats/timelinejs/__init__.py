"""TimelineJS 3: a slide and an event, both ways."""
