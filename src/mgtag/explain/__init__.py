"""Where in a song its answer comes from."""
