"""The captured text of a source: read from a document, cut into sentences, quoted."""
