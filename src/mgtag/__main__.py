"""``mgtag`` and ``python -m mgtag``.

Worker processes import this module anew, and a version is asked for by scripts: nothing is imported before
it is needed.
"""

from __future__ import annotations

import sys


def main() -> None:
    """Run mgtag."""
    if sys.argv[1:] == ["--version"]:
        from mgtag.version import __version__

        sys.stdout.write(f"mgtag {__version__}\n")
        return
    if sys.argv[1:2] == ["scan"]:
        from mgtag.library import early_walk

        early_walk.begin(sys.argv[2:])
        from mgtag import workers

        workers.get_ready(sys.argv[2:])
    from mgtag.cli import main

    main()


if __name__ == "__main__":
    main()
