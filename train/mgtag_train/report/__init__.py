"""RESULTS.md, its tables and pictures, from run records."""
