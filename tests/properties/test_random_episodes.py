"""A short piece of the long random run (`make soak`), with fixed seeds, so that every change meets it."""

from __future__ import annotations

import pytest

from tests.soak.run import episode


@pytest.mark.parametrize("seed", range(1, 21))
def test_every_rule_holds_at_every_step_of_an_episode(seed: int) -> None:
    assert episode(seed, steps=300) == ""
