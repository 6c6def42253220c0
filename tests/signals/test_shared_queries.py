"""Many instant queries in few requests: what one of them does changes nothing for the others."""

from __future__ import annotations

import math
import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoscaler.series import State
from autoscaler.signals.answer import MalformedAnswer, Sample
from autoscaler.signals.batching import MARK, portions, self_contained, taken_apart, united
from autoscaler.signals.failures import Cause, QueryFailed
from autoscaler.signals.instant import Instant, InstantQuery, InstantReader

NOW = 1_704_067_200.0


@pytest.mark.parametrize(
    ("query", "safe"),
    [
        pytest.param("up", "up", id="plain"),
        pytest.param(" up\n", "up", id="white space"),
        pytest.param('a{b="c)"}', 'a{b="c)"}', id="bracket in a string"),
        pytest.param(r'a{b="\")"}', r'a{b="\")"}', id="escaped quote"),
        pytest.param("a{b='\"'}", "a{b='\"'}", id="quote in other quotes"),
        pytest.param("a{b=`\\`}", "a{b=`\\`}", id="raw string ends at its quote"),
        pytest.param("a # (\n + b", "a \n + b", id="comment"),
        pytest.param("a # comment", "a", id="comment at the end"),
        pytest.param('a{b="#"}', 'a{b="#"}', id="hash in a string"),
        pytest.param("rate(a[5m])", "rate(a[5m])", id="nested"),
        pytest.param("", None, id="empty"),
        pytest.param("# only", None, id="only a comment"),
        pytest.param("a) or (b", None, id="reaches out"),
        pytest.param("(a", None, id="open"),
        pytest.param("(a]", None, id="crossed"),
        pytest.param('a{b="c}', None, id="open string"),
        pytest.param('a{b="c\n"}', None, id="line break in a string"),
        pytest.param('a{b="c\\', None, id="ends in an escape"),
        pytest.param("a{b=`c", None, id="open raw string"),
        pytest.param('a{b="c" # }\n}', None, id="comment in braces"),
        pytest.param('a\\"b', None, id="escape outside strings"),
        pytest.param("a\0", None, id="NUL"),
    ],
)
def test_only_a_query_that_stays_in_its_brackets_is_shared(query: str, safe: str | None) -> None:
    assert self_contained(query) == safe


@given(st.text(alphabet="ab(){}[]\"'`\\#\n,", max_size=30))
def test_a_shared_query_never_closes_what_surrounds_it(query: str) -> None:
    safe = self_contained(query)
    if safe is None:
        return
    bare = re.sub(r'"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\'|`[^`]*`', "", safe, flags=re.DOTALL)
    assert not set("\"'`#\\") & set(bare)
    depth = 0
    for character in bare:
        depth += (character in "({[") - (character in ")}]")
        assert depth >= 0
    assert depth == 0
    assert self_contained(safe) == safe


@given(
    st.lists(st.text(alphabet="ab", min_size=1, max_size=40), max_size=60),
    st.integers(1, 10),
    st.integers(100, 2000),
)
def test_portions_keep_order_and_bounds(texts: list[str], most: int, most_characters: int) -> None:
    groups = list(portions(texts, most, most_characters))
    assert [text for group in groups for text in group] == texts
    for group in groups:
        assert len(group) <= most
        assert len(group) == 1 or len(united(group)) <= most_characters


@pytest.mark.parametrize("mark", ["", "v", "v2", "x0", "v-1", "0", "v²"])
def test_series_nobody_asked_for_are_refused(mark: str) -> None:
    with pytest.raises(MalformedAnswer):
        taken_apart([Sample({MARK: mark}, NOW, 1.0)], 2, False)


class Server:
    """Understands united queries; `evaluate` gives what one query finds, or raises."""

    def __init__(self, evaluate: Callable[[str], Instant]) -> None:
        self._evaluate = evaluate
        self.asked: list[str] = []
        self.seconds: list[float] = []

    def ask(self, query: str, now_s: float, seconds: float) -> Instant:
        self.asked.append(query)
        self.seconds.append(seconds)
        parts = re.findall(rf'label_replace\((.*?), "{MARK}", "([vt]\d+)", "", ""\)', query)
        if not parts:
            return self._one(query)
        answers = [(self._one(text[1:-1] if mark[0] == "v" else text), mark) for text, mark in parts]
        samples = [
            Sample({MARK: mark}, s.time_s, s.value) for answer, mark in answers for s in answer.samples
        ]
        return Instant(samples, any(answer.warned for answer, _ in answers))

    def _one(self, text: str) -> Instant:
        if text.startswith("timestamp("):
            inner = self._evaluate(text.removeprefix("timestamp(").removesuffix(")").strip())
            return Instant([Sample({}, NOW, NOW - 5.0) for _ in inner.samples], inner.warned)
        return self._evaluate(text)


def one(value: float, warned: bool = False) -> Instant:
    return Instant([Sample({}, NOW, value)], warned)


def reader(server: Server, clock: Callable[[], float] = lambda: 0.0) -> InstantReader:
    return InstantReader(server.ask, 64_000, clock)


def queries(*texts: str) -> list[InstantQuery]:
    return [InstantQuery(text) for text in texts]


def test_a_hundred_queries_are_two_requests() -> None:
    server = Server(lambda text: one(float(text[1:])))
    readings = reader(server).read(queries(*(f"q{n}" for n in range(100))), NOW, 10.0)
    assert [r.value for r in readings] == list(range(100))
    assert {(r.state, r.age_s) for r in readings} == {(State.VALUE, 5.0)}
    assert len(server.asked) == 2


def test_the_same_query_is_asked_once_and_judged_by_each_age() -> None:
    server = Server(lambda text: one(1.0))
    asked = [InstantQuery("a", 60.0), InstantQuery("b"), InstantQuery("a", 1.0), InstantQuery("a # again")]
    readings = reader(server).read(asked, NOW, 10.0)
    assert [r.state for r in readings] == [State.VALUE, State.VALUE, State.STALE, State.VALUE]
    assert server.asked[0].count("(a)") == 2


def test_no_queries_are_no_request() -> None:
    server = Server(lambda text: one(1.0))
    assert reader(server).read([], NOW, 10.0) == []
    assert server.asked == []


@pytest.mark.parametrize("cause", [Cause.BAD_QUERY, Cause.LIMIT, Cause.TIMED_OUT, Cause.TOO_LARGE])
@pytest.mark.parametrize("position", [0, 7, 31])
def test_a_spoiler_fails_alone_and_is_kept_apart(cause: Cause, position: int) -> None:
    def evaluate(text: str) -> Instant:
        if text == f"q{position}":
            raise QueryFailed(cause, "no")
        return one(float(text[1:]))

    server = Server(evaluate)
    reading_again = reader(server)
    asked = queries(*(f"q{n}" for n in range(32)))
    expected = [State.FAILED if n == position else State.VALUE for n in range(32)]
    assert [r.state for r in reading_again.read(asked, NOW, 10.0)] == expected
    assert len(server.asked) <= 2 * math.log2(32) + 2
    server.asked.clear()
    assert [r.state for r in reading_again.read(asked, NOW + 15, 10.0)] == expected
    assert len(server.asked) == 2


def test_a_spoiler_is_tried_in_company_again_later() -> None:
    broken = True

    def evaluate(text: str) -> Instant:
        if text == "q1" and broken:
            raise QueryFailed(Cause.LIMIT, "no")
        return one(1.0)

    asked = [InstantQuery(text, max_age_s=1e6) for text in ("q0", "q1", "q2")]
    server = Server(evaluate)
    reading_again = reader(server)
    reading_again.read(asked, NOW, 10.0)
    broken = False
    server.asked.clear()
    readings = reading_again.read(asked, NOW + 3600, 10.0)
    assert {r.state for r in readings} == {State.VALUE} and len(server.asked) == 1


@pytest.mark.parametrize(
    "cause", [Cause.UNREACHABLE, Cause.BUSY, Cause.UNAUTHORIZED, Cause.REDIRECTED, Cause.BROKEN]
)
def test_a_server_at_fault_is_asked_once_and_no_query_is_blamed(cause: Cause) -> None:
    well = False

    def evaluate(text: str) -> Instant:
        if not well:
            raise QueryFailed(cause, "no server")
        return one(1.0)

    server = Server(evaluate)
    reading_again = reader(server)
    asked = queries(*(f"q{n}" for n in range(200)), '"(')
    readings = reading_again.read(asked, NOW, 10.0)
    assert {(r.state, r.detail) for r in readings} == {(State.FAILED, "no server")}
    assert len(server.asked) == 1
    well = True
    server.asked.clear()
    assert {r.state for r in reading_again.read(asked[:-1], NOW + 15, 10.0)} == {State.VALUE}
    assert len(server.asked) == 4


def test_a_warning_is_pinned_to_its_query() -> None:
    server = Server(lambda text: one(1.0, warned=text == "q3"))
    reading_again = reader(server)
    asked = queries(*(f"q{n}" for n in range(16)))
    for _ in range(2):
        server.asked.clear()
        readings = reading_again.read(asked, NOW, 10.0)
        assert [n for n, r in enumerate(readings) if r.state is State.PARTIAL] == [3]
    assert len(server.asked) == 3


def test_when_everything_warns_all_are_partial_at_bounded_cost() -> None:
    server = Server(lambda text: one(1.0, warned=True))
    reading_again = reader(server)
    asked = queries(*(f"q{n}" for n in range(100)))
    for _ in range(3):
        server.asked.clear()
        readings = reading_again.read(asked, NOW, 10.0)
        assert {(r.state, r.value) for r in readings} == {(State.PARTIAL, 1.0)}
        assert len(server.asked) <= 2 + 16 + 16


def test_one_that_hangs_leaves_time_for_the_others() -> None:
    passed = [0.0]

    def evaluate(text: str) -> Instant:
        if text == "slow":
            passed[0] += server.seconds[-1]
            raise QueryFailed(Cause.DEADLINE, "too slow")
        return one(1.0)

    server = Server(evaluate)
    reading_again = reader(server, lambda: passed[0])
    asked = queries("slow", *(f"q{n}" for n in range(30)))
    states = [r.state for r in reading_again.read(asked, NOW, 10.0)]
    assert states == [State.FAILED] + [State.VALUE] * 30
    assert passed[0] < 10.0
    before = passed[0]
    server.asked.clear()
    assert [r.state for r in reading_again.read(asked, NOW + 15, 10.0)] == states
    assert "slow" in server.asked[-1] and len(server.asked) == 2
    assert passed[0] - before <= 10.0


@pytest.mark.parametrize(
    ("answer", "state", "value"),
    [
        (Instant([], False), State.EMPTY, None),
        (one(0.0), State.VALUE, 0.0),
        (one(-1.5), State.VALUE, -1.5),
        (one(math.nan), State.NOT_A_NUMBER, None),
        (one(math.inf), State.NOT_A_NUMBER, None),
        (Instant([*one(1.0).samples, *one(2.0).samples], False), State.SEVERAL_SERIES, None),
        (Instant(one(7.0).samples, False, vector=False), State.VALUE, 7.0),
    ],
    ids=["empty", "zero", "negative", "NaN", "Inf", "several", "scalar"],
)
def test_each_outcome_is_typed_alone_and_in_company(
    answer: Instant, state: State, value: float | None
) -> None:
    for company in ([], ["other", "third"]):
        server = Server(lambda text: answer if text == "q" else one(1.0))
        reading = reader(server).read(queries("q", *company), NOW, 10.0)[0]
        assert reading.state is state
        assert reading.value == value or (value is None and math.isnan(reading.value))
        assert bool(reading.detail) == (state is not State.VALUE)


@pytest.mark.parametrize(("age_s", "state"), [(0.0, State.VALUE), (299.0, State.VALUE), (301.0, State.STALE)])
def test_a_value_has_the_age_of_its_newest_sample(age_s: float, state: State) -> None:
    server = Server(lambda text: one(1.0))
    (reading,) = reader(server).read(queries("q"), NOW - 5.0 + age_s, 10.0)
    assert (reading.state, reading.age_s, reading.value) == (state, age_s, 1.0)


def test_a_clock_behind_the_server_gives_no_negative_age() -> None:
    (reading,) = reader(Server(lambda text: one(1.0))).read(queries("q"), NOW - 60.0, 10.0)
    assert (reading.state, reading.age_s) == (State.VALUE, 0.0)
