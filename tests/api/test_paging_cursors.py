"""A cursor leads on from where a page ended, and nothing else passes for one."""

from __future__ import annotations

import base64
import hashlib

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from autoscaler.api.paging import cursor, identifier_of, position_of
from autoscaler.api.problems import Problem

QUESTION = ["decisions", "shop"]
names = st.text(max_size=20)
positions = st.tuples(st.floats(allow_nan=False, allow_infinity=False), names, names)


def forged(data: bytes) -> str:
    """With the right checksum, which is no secret."""
    check = hashlib.blake2b(data, digest_size=6).digest()
    return base64.urlsafe_b64encode(check + data).decode().rstrip("=")


def refused(text: str) -> Problem:
    with pytest.raises(Problem) as problem:
        position_of(text, QUESTION, (float, str, str))
    return problem.value


@given(positions)
def test_a_position_is_read_back(position: tuple[float, str, str]) -> None:
    assert position_of(cursor(QUESTION, position), QUESTION, (float, str, str)) == list(position)


@pytest.mark.parametrize("text", [None, ""])
def test_without_a_cursor_it_is_the_first_page(text: str | None) -> None:
    assert position_of(text, QUESTION, (str,)) is None


def test_a_cursor_of_another_question_is_refused() -> None:
    problem = refused(cursor(["decisions", "pay"], [1.0, "a", "b"]))
    assert (problem.status, problem.code) == (400, "InvalidCursor")
    assert "another question" in problem.detail


@given(st.text(max_size=60), st.binary(max_size=60))
@example("AAAA", b"")
@example("=", b"")
@example("\ud800", b"")
def test_anything_else_is_refused(text: str, data: bytes) -> None:
    for other in filter(None, (text, base64.urlsafe_b64encode(data).decode(), forged(data))):
        assert refused(other).code == "InvalidCursor"


@given(positions, st.data())
def test_a_cursor_that_was_changed_is_refused(position: tuple[float, str, str], data: st.DataObject) -> None:
    text = cursor(QUESTION, position)
    at = data.draw(st.integers(0, len(text) - 2))
    other = data.draw(st.sampled_from("ABCabc019-_").filter(lambda letter: letter != text[at]))
    assert refused(text[:at] + other + text[at + 1 :]).code == "InvalidCursor"


_ASKED = hashlib.blake2b(orjson.dumps(QUESTION), digest_size=6).hexdigest()


@pytest.mark.parametrize(
    "held",
    [
        pytest.param({}, id="no list"),
        pytest.param([], id="an empty list"),
        pytest.param([_ASKED], id="too few"),
        pytest.param([_ASKED, 1.0, "a", "b", "c"], id="too many"),
        pytest.param([_ASKED, "1.0", "a", "b"], id="a text for a number"),
        pytest.param([_ASKED, 1.0, None, "b"], id="null for a text"),
        pytest.param([_ASKED, 1.0, ["a"], "b"], id="a list for a text"),
    ],
)
def test_a_forged_cursor_of_another_form_is_refused(held: object) -> None:
    assert refused(forged(orjson.dumps(held))).code == "InvalidCursor"


@pytest.mark.parametrize("identifier", ["", "x", "zzzzzzzzzzzzz", "0" * 14])
def test_a_forged_cursor_that_names_no_identifier_is_refused(identifier: str) -> None:
    assert identifier_of(cursor(QUESTION, ["0" * 13]), QUESTION) == "0" * 13
    with pytest.raises(Problem) as problem:
        identifier_of(cursor(QUESTION, [identifier]), QUESTION)
    assert problem.value.code == "InvalidCursor"
