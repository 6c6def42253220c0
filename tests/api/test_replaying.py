"""Stored decisions come out the same when they are decided again, on the command line too."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from filled_store import END_S, fill
from whole_service import WholeService

from autoscaler.cli import main
from autoscaler.planning.record import VERSION, replayed
from autoscaler.store.ids import new_id
from autoscaler.store.rows import DecisionMade
from autoscaler.store.store import Store

Ended = tuple[int, str, str]
Replay = Callable[[str, str], Ended]


@pytest.fixture
def replay(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Replay:
    """Runs the command; its exit code, standard output and standard error."""

    def run(decision: str, url: str) -> Ended:
        monkeypatch.setattr(sys, "argv", ["autoscaler", "replay", decision, "--store", url])
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capfd.readouterr()
        return int(ended.value.code or 0), out, err

    return run


@pytest.fixture
def url(own_service: WholeService) -> str:
    return f"sqlite:///{own_service.store.engine.url.database}"


def changed(store: Store, **parts: object) -> str:
    """The newest decision of checkout, stored once more with parts of its record replaced; its identifier."""
    number = store.decisions(workload="shop/checkout", limit=1).decisions[0].id
    whole = store.decision(number)
    assert whole is not None
    record = {**whole.payload, **parts}
    made = DecisionMade(
        "shop/checkout", new_id(END_S), END_S, 9, 14, (), "Scale out from 9 to 14.", record, "Done"
    )
    store.write([made])
    return made.id


def test_a_decision_that_comes_out_the_same_is_told_so(
    replay: Replay, own_service: WholeService, url: str
) -> None:
    found = own_service.store.decisions(workload="shop/checkout", limit=1).decisions[0]
    code, out, err = replay(found.id, url)
    first, sentence, verdict = out.splitlines()
    assert (code, err) == (0, "")
    assert first.startswith("shop/checkout at 2026-11-27T")
    assert first.endswith(f": {found.before} -> {found.after} ({found.outcome})")
    assert sentence == found.sentence
    assert verdict.endswith(": the same")


def test_a_decision_that_comes_out_differently_names_what_differs_and_how(
    replay: Replay, own_service: WholeService, url: str
) -> None:
    number = own_service.store.decisions(workload="shop/checkout", limit=1).decisions[0].id
    whole = own_service.store.decision(number)
    assert whole is not None
    decision = {**whole.payload["decision"], "replicas": 14}
    code, out, _ = replay(changed(own_service.store, decision=decision), url)
    _, stored, verdict, now = out.splitlines()
    assert code == 1
    assert verdict.endswith(": differs in replicas")
    assert stored == "Scale out from 9 to 14."
    assert now == whole.summary.sentence


@pytest.mark.parametrize(
    ("decision", "told"),
    [
        ("x", "'x' is not the identifier of a decision"),
        ("zzzzzzzzzzzzz", "is not the identifier of a decision"),
        ("0000000000000", "there is no decision 0000000000000 in this store"),
    ],
)
def test_a_decision_that_is_not_there_is_told_in_one_line(
    replay: Replay, url: str, decision: str, told: str
) -> None:
    code, out, err = replay(decision, url)
    assert (code, out) == (2, "")
    assert told in err and len(err.splitlines()) == 1


def test_a_record_of_a_newer_release_is_told_in_one_line(
    replay: Replay, own_service: WholeService, url: str
) -> None:
    code, _, err = replay(changed(own_service.store, v=VERSION + 1), url)
    assert code == 2
    assert "newer release" in err and len(err.splitlines()) == 1


def test_a_store_that_is_not_there_is_told_and_not_made(replay: Replay, tmp_path: Path) -> None:
    file = tmp_path / "nothing.db"
    code, _, err = replay("0000000000000", f"sqlite:///{file}")
    assert code == 2
    assert f"there is no file {file}" in err
    assert not file.exists()


@pytest.mark.parametrize(
    "url", ["", "mysql://root:secret@host/store", "postgresql://anna:secret@127.0.0.1:1/store"]
)
def test_a_store_that_cannot_be_used_is_told_without_its_password(replay: Replay, url: str) -> None:
    code, _, err = replay("0000000000000", url)
    assert code == 2
    assert err.startswith("autoscaler: --store: ") and len(err.splitlines()) == 1
    assert "secret" not in err


def test_another_database_is_no_store(replay: Replay, tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("no database at all, but long enough to be taken for the beginning of one" * 20)
    code, _, err = replay("0000000000000", f"sqlite:///{file}")
    assert code == 2
    assert "--store: " in err and len(err.splitlines()) == 1


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_thousands_of_stored_decisions_come_out_the_same(tmp_path: Path) -> None:
    store = Store.open(f"sqlite:///{tmp_path / 'store.db'}")
    store.migrate()
    fill(store, days=4, forecast_days=0)
    seen: set[str] = set()
    reasons: set[str] = set()
    before = None
    while True:
        page = store.decisions(limit=1000, before=before)
        for one in page.decisions:
            whole = store.decision(one.id)
            assert whole is not None
            again = replayed(whole.payload)
            assert again.differences == (), one
            seen.add(one.id)
            reasons.update(one.reasons)
        before = page.older
        if before is None:
            break
    store.close()
    assert len(seen) > 2000
    assert len(reasons) >= 6, reasons
