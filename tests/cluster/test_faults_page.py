"""Tests that docs/faults.md and docs/invariants.md name as proofs of their claims have to be there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

_ROOT = Path(__file__).resolve().parents[2]
_PAGES = ("faults.md", "invariants.md")


@pytest.mark.parametrize("page", _PAGES)
def test_every_test_that_the_page_names_is_there(page: str) -> None:
    named = set(re.findall(r"`(test_\w+)`", (_ROOT / "docs" / page).read_text()))
    found = {
        name
        for file in (_ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^ *def (test_\w+)", file.read_text(), re.MULTILINE)
    }
    assert named and not named - found


@pytest.mark.parametrize("page", _PAGES)
def test_every_file_that_the_page_names_is_there(page: str) -> None:
    named = re.findall(r"`(tests/\S+?\.(?:py|yaml))`", (_ROOT / "docs" / page).read_text())
    assert named and not [name for name in named if not (_ROOT / name).is_file()]
