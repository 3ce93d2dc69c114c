"""Watch the logs of others, keep checked copies of them, and let others watch ours."""
