"""What waits is bounded, keeps its order, and loses the least missed first."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rowmaking import START_S, WORKLOAD, decision, memory, observed, state

from autoscaler.store.encoding import EncodedRow, Kind, encoded
from autoscaler.store.rows import StateGone
from autoscaler.store.spool import Spool, SpoolLimits, WaitingRow, settle

_WIDE = SpoolLimits(rows=1000, bytes=10**9)


def _row(kind: str, number: int) -> EncodedRow:
    """Of one of three sorts, told apart by its time."""
    at_s = START_S + number
    if kind == "decision":
        return encoded(decision(at_s))
    return encoded(observed(at_s)) if kind == "observation" else encoded(memory(at_s, f"shop/{number % 3}"))


def _times(taken: list[WaitingRow]) -> list[float]:
    return [waiting.row.values["at_s"] - START_S for waiting in taken]


def _all(spool: Spool) -> list[WaitingRow]:
    return spool.take(10_000)


def test_rows_come_out_in_the_order_in_which_they_went_in() -> None:
    spool = Spool(_WIDE)
    for number, kind in enumerate(["decision", "memory", "observation", "decision", "observation"]):
        spool.put([_row(kind, number)], 0.0)
    assert _times(spool.take(2)) == [0, 1]
    assert _times(_all(spool)) == [2, 3, 4]
    assert (len(spool), spool.bytes, spool.oldest_s) == (0, 0, None)


def test_a_batch_is_written_when_its_last_row_is() -> None:
    spool = Spool(_WIDE)
    ticket = spool.put([_row("decision", 0), _row("memory", 1)], 0.0)
    settle(spool.take(1))
    assert not ticket.written
    settle(spool.take(1))
    assert ticket.written


def test_a_newer_memory_replaces_the_one_that_waits_and_nobody_misses_it() -> None:
    spool = Spool(_WIDE)
    first = spool.put([_row("memory", 0)], 0.0)
    spool.put([_row("decision", 1)], 0.0)
    second = spool.put([_row("memory", 3)], 0.0)
    assert first.written and not second.written
    assert _times(_all(spool)) == [1, 3]
    assert spool.dropped == 0


def test_a_state_and_that_it_is_gone_replace_each_other() -> None:
    spool = Spool(_WIDE)
    spool.put([encoded(state()), encoded(StateGone(WORKLOAD))], 0.0)
    (gone,) = _all(spool)
    assert gone.row.values["payload"] is None
    spool.put([encoded(StateGone(WORKLOAD)), encoded(state())], 0.0)
    (kept,) = _all(spool)
    assert kept.row.values["payload"] is not None


def test_rows_that_were_put_back_come_out_first_and_in_order() -> None:
    spool = Spool(_WIDE)
    spool.put([_row("memory", 0), _row("decision", 1), _row("observation", 2), _row("memory", 4)], 0.0)
    taken = spool.take(4)
    spool.put([_row("decision", 5), _row("memory", 6)], 0.0)
    spool.put_back(taken)
    # Memory 6 is of the same workload as memory 0, which is not missed.
    assert _times(_all(spool)) == [1, 2, 4, 5, 6]
    assert spool.dropped == 0


def test_too_many_rows_cost_observations_then_decisions_then_memories() -> None:
    spool = Spool(SpoolLimits(rows=2))
    observation = spool.put([_row("observation", 0)], 0.0)
    early = spool.put([_row("decision", 1)], 0.0)
    late = spool.put([_row("memory", 2)], 0.0)
    assert (observation.lost, early.lost, late.lost) == (True, False, False)
    spool.put([_row("memory", 3)], 0.0)
    assert (early.lost, late.lost) == (True, False)
    spool.put([_row("memory", 4)], 0.0)
    assert late.lost and not late.written
    assert _times(_all(spool)) == [3, 4]
    assert spool.dropped == 3


def test_the_limit_on_bytes_counts_what_rows_hold() -> None:
    large = encoded(decision(sentence="x" * 10_000))
    spool = Spool(SpoolLimits(bytes=3 * large.bytes))
    tickets = [spool.put([large], 0.0) for _ in range(4)]
    assert [ticket.lost for ticket in tickets] == [True, False, False, False]
    assert spool.bytes == 3 * large.bytes


@given(
    st.lists(st.sampled_from(["decision", "observation", "memory", "take", "back", "settle"]), max_size=60),
    st.integers(1, 12),
)
def test_nothing_is_lost_uncounted_and_nothing_comes_twice(steps: list[str], most: int) -> None:
    spool = Spool(SpoolLimits(rows=most))
    tickets = []
    taken: list[WaitingRow] = []
    settled: list[WaitingRow] = []
    for number, step in enumerate(steps):
        if step == "take":
            taken += spool.take(3)
        elif step == "back":
            spool.put_back(taken)
            taken = []
        elif step == "settle":
            settle(taken)
            settled += taken
            taken = []
        else:
            tickets.append(spool.put([_row(step, number)], float(number)))
        assert len(spool) <= most
    spool.put_back(taken)
    rest = _all(spool)
    assert spool.bytes == 0
    settle(rest)
    assert all(ticket.waiting == 0 for ticket in tickets)
    assert sum(ticket.lost for ticket in tickets) == spool.dropped
    came = [waiting.number for waiting in settled + rest]
    assert len(set(came)) == len(came)
    lasting = [waiting.number for waiting in rest if waiting.row.kind is Kind.DECISION]
    assert lasting == sorted(lasting)
