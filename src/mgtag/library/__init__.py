"""The listener's library: walk, scan, decide, write, remember, undo.

SQL stands in `sql` (statements) and `migrations` (the schema) only.
"""
