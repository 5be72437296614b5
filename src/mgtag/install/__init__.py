"""Models that others trained, made into bundles on the listener's machine."""
