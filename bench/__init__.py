"""Benchmarks: ``python -m bench`` measures and writes ``bench/RESULTS.md``."""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy, as mgtag's workers have it
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.pop(
    "PYTHONDONTWRITEBYTECODE", None
)  # or modules would be compiled in every round; pip compiles them once
