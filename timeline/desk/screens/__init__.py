"""Each module here has the screens of one subject, and their routes."""
