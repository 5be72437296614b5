"""Data sets: from disk to tracks with labels and a split."""
