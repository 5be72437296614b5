"""What tests of pages share: waiting for a real browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

PATIENCE = 600  # looks, 50 ms apart, before something counts as never happening


def until(page: Page, condition: str) -> None:
    """Wait for a condition; playwright's own way needs an eval that the page's policy forbids."""
    for _ in range(PATIENCE):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"never came true: {condition}")
