"""TimelineJS 3, which has slides: they become events, and events become slides."""
