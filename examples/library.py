"""Go through a folder without writing a tag: ``python examples/library.py FOLDER``."""

import sys
from collections import Counter

import mgtag

if __name__ == "__main__":  # worker processes import this file
    counts: Counter[str] = Counter()
    for event in mgtag.scan([sys.argv[1]], dry_run=True):
        counts[type(event).__name__] += 1
        print(event)
    print(dict(counts))
