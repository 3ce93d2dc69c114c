"""The captured text of a source, which is read from a document, cut into sentences, and quoted."""
