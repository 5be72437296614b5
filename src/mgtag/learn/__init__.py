"""The listener's own genres: a head on a model's embedding, fitted to files that were tagged by hand."""
