"""Data written as YAML reads back as the same data, whatever its texts look like."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from autoscaler.spec.yamltext import yaml_text
from autoscaler.spec.yamltree import documents

_TEXTS = st.text(st.characters(codec="utf-8"), max_size=30)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | _TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(["metadata", "spec", "status"]), _VALUES, min_size=1))
def test_what_is_written_reads_back_as_the_same_data(value: dict[str, Any]) -> None:
    (document,) = documents(yaml_text(value))
    assert document.value == value


@pytest.mark.parametrize(
    "text", ["NO", "1e3", "0x1f", "0o17", "12", "0.95", "~", "2026-11-27", "y", "a: b", "#", ""]
)
def test_a_text_that_looks_like_something_else_stays_a_text_for_every_reader(text: str) -> None:
    written = yaml_text({"value": text})
    (document,) = documents(written)
    assert document.value == {"value": text}
    assert yaml.safe_load(written) == {"value": text}


def test_a_value_that_occurs_twice_is_written_twice() -> None:
    shared = {"a": 1}
    assert "&" not in yaml_text({"first": shared, "second": shared})
