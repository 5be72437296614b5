"""Fuzz one target in this process: `python -m bench.fuzz.one TARGET CORPUS [libFuzzer's options]`."""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["mgtag.tags", "mgtag.tails", "mgtag.asf_header", "mutagen"]):
    import mutagen  # noqa: F401

    from mgtag import tags  # noqa: F401

from bench.fuzz.targets import TARGETS


def main() -> None:
    """Hand over to libFuzzer."""
    target = TARGETS[sys.argv[1]]
    atheris.Setup([sys.argv[0], *sys.argv[2:]], target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
