"""What lies near what: nearest tracks, playlists, a map of the library."""
