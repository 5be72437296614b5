"""The listener's library: walk, scan, decide, write, remember, undo.

SQL stands in `index` and `migrations` only.
"""
