"""How tests call the command line."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

MGTAG = [sys.executable, "-c", "from mgtag.cli import main; main()"]  # in a process of its own


@dataclass(frozen=True)
class Done:
    """How a call of mgtag ended."""

    code: int
    out: str
    err: str

    @property
    def rows(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


Run = Callable[..., Done]
