"""The log on a cluster: several sites write it, and each has the whole of it in its own file."""
