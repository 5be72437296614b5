"""Listens to a music folder and writes the genre into every file that has none."""

__version__ = "0.1.0"
