"""Experiments: every system of the five papers as a value, and how it is run."""
