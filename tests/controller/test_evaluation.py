"""One evaluation of several workloads: each has its own outcome, and the order of things is kept."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from evaluation_in_hand import InHand
from stub_api import Request, forbidden, hpa_path, scale_path, silent, unanswered
from workload_making import known, unknown

from autoscaler.controller.evaluation import Blind
from autoscaler.controller.looking import trusted_s
from autoscaler.controller.outcome import Write
from autoscaler.controller.running import Running
from autoscaler.planning.observation import Outlook
from autoscaler.series import State


def settled(hand: InHand, *due: Running) -> None:
    """A whole window of quiet decisions, a minute and a half ago at the latest."""
    for _ in range(30):
        hand.evaluate(*due, after_s=15.0)
    hand.clock.now_s += 90.0
    hand.api.requests.clear()
    hand.metered.asked.clear()


def test_every_workload_gets_what_its_load_asks_for(hand: InHand) -> None:
    due = [hand.add("a", 3, 30.0), hand.add("b", 3, 55.0)]
    found = hand.evaluate(*due)
    assert (found["a"].write, found["b"].write) == (Write.UNNEEDED, Write.DONE)
    assert (hand.api.replicas("a"), hand.api.replicas("b")) == (3, 6)


def test_all_queries_of_a_group_are_asked_together(hand: InHand) -> None:
    errors = {"type": "Errors", "query": "err", "threshold": "5%"}
    hand.metered.answers["err"] = unknown()
    due = [hand.add("a"), hand.add("b", signals=[errors]), hand.add("c")]
    found = hand.evaluate(*due)
    assert hand.metered.asked == [["a", "b", "err", "c"]]
    assert found["b"].signals["errors"].state is State.EMPTY


def broken(text: str = "unforeseen") -> Exception:
    return RuntimeError(text)


def at(method: str, path: str, failure: Callable[[], Exception]) -> Callable[[Request], Exception | None]:
    return lambda request: failure() if (request.method, request.path) == (method, path) else None


def exploding() -> Outlook:
    raise broken()


@pytest.mark.parametrize(
    ("method", "failure", "reason"),
    [
        ("GET", silent, "ApiServerUnavailable"),
        ("GET", forbidden, "NoPermission"),
        ("GET", broken, "InternalError"),
        ("PATCH", forbidden, "NoPermission"),
        ("PATCH", unanswered, "ApiServerUnavailable"),
        ("PATCH", broken, "InternalError"),
        ("plan", broken, "InternalError"),
        ("target", broken, "TargetNotFound"),
        ("spec", broken, "InvalidSpec"),
    ],
)
def test_what_goes_wrong_with_one_workload_is_nobody_elses(
    hand: InHand, method: str, failure: Callable[[], Exception], reason: str
) -> None:
    spec = {"maxReplicas": 0} if method == "spec" else {}
    due = [hand.add("a", 3, 55.0), hand.add("bad", 3, 55.0, **spec), hand.add("c", 3, 55.0)]
    hand.api.fault = at(method, scale_path("bad"), failure)
    if method == "plan":
        hand.foresight.outlooks["shop/bad"] = exploding
    if method == "target":
        del hand.api.objects[scale_path("bad")]
    found = hand.evaluate(*due)
    fault = found["bad"].fault
    assert fault is not None and fault.reason == reason
    for name in ("a", "c"):
        assert (found[name].write, hand.api.replicas(name)) == (Write.DONE, 6)
    assert "unforeseen" not in fault.message, "what broke inside is for the log"
    assert [entry["log_level"] for entry in hand.log] == (["error"] if reason == "InternalError" else [])


def test_scale_outs_are_written_before_scale_ins(hand: InHand) -> None:
    due = [
        hand.add("in1", 5, 50.0),
        hand.add("out1", 5, 50.0),
        hand.add("in2", 5, 50.0),
        hand.add("out2", 5, 50.0),
    ]
    settled(hand, *due)
    for name in ("in1", "in2"):
        hand.load_is(name, known(10.0))
    for name in ("out1", "out2"):
        hand.load_is(name, known(90.0))
    hand.evaluate(*due)
    assert [request.path.split("/")[-2] for request in hand.api.patches] == ["out1", "out2", "in1", "in2"]


def test_everything_is_recorded_before_the_first_write(hand: InHand) -> None:
    due = [hand.add(name, 3, 55.0) for name in ("a", "b", "c")]
    found = hand.evaluate(*due)
    assert [(one.key, writes) for one, writes in hand.records.recorded] == [
        ("shop/a", 0), ("shop/b", 0), ("shop/c", 0)
    ]  # fmt: skip
    assert {one.id for one, _ in hand.records.recorded} == {outcome.id for outcome in found.values()}
    assert len(hand.api.patches) == 3 and len(hand.records.settled) == 3


def test_a_count_that_changes_under_a_decision_is_decided_on_anew(hand: InHand) -> None:
    one = hand.add("web", 3, 55.0)
    hand.evaluate(hand.add("warm"))

    def somebody(request: Request) -> None:
        if request.method == "PATCH" and hand.api.replicas() == 3:
            hand.api.put_scale("web", 4)

    hand.api.fault = somebody
    found = hand.evaluate(one)["web"]
    assert found.setting is not None and found.setting.replicas == 4
    assert (found.write, found.hold.reason if found.hold else "") == (Write.HELD, "ManualGrace")
    assert hand.api.replicas() == 4


def test_a_target_made_anew_under_a_decision_is_decided_on_anew(hand: InHand) -> None:
    one = hand.add("web", 3, 55.0)

    def anew(request: Request) -> None:
        if request.method == "PATCH" and len(hand.api.patches) == 1:
            hand.api.put_scale("web", 3, uid="anew")

    hand.api.fault = anew
    found = hand.evaluate(one)["web"]
    assert (found.write, hand.api.replicas()) == (Write.DONE, 6)
    assert [request.body["metadata"]["uid"] for request in hand.api.patches] == ["target-web", "anew"]
    assert len(hand.records.recorded) == 2, "the second decision is recorded as well"


def test_a_count_that_changes_under_every_decision_is_left_for_the_next_turn(hand: InHand) -> None:
    one = hand.add("web", 3, 55.0, manualGrace="0s")
    counts = iter(range(4, 100))

    def restless(request: Request) -> None:
        if request.method == "PATCH":
            hand.api.put_scale("web", 10 + next(counts))

    hand.load_is("web", known(995.0))
    hand.api.fault = restless
    found = hand.evaluate(one)["web"]
    assert found.fault is not None and found.fault.reason == "CountKeepsChanging"
    assert len(hand.api.patches) == 3


def test_an_unknown_source_stops_scale_in_and_says_so(hand: InHand) -> None:
    one = hand.add("web", 5, 50.0)
    settled(hand, one)
    outcomes = hand.evaluation.evaluate(None, [one])
    assert outcomes[0].decision is not None
    assert (
        outcomes[0].decision.observation.load.detail == "spec.load.source names no source that is configured"
    )
    assert hand.api.replicas() == 5


@pytest.mark.parametrize("blind", [Blind(pods="pods: forbidden"), Blind(rivals="hpas: forbidden")])
def test_nothing_is_removed_while_pods_or_rivals_cannot_be_seen(hand: InHand, blind: Blind) -> None:
    one = hand.add("web", 5, 50.0)
    settled(hand, one)
    hand.load_is("web", known(10.0))
    hand.blind = blind
    found = hand.evaluate(one)["web"]
    assert hand.api.replicas() == 5
    assert found.blind_to_pods == blind.pods
    hand.blind = Blind()
    hand.evaluate(one, after_s=15.0)
    assert hand.api.replicas() < 5, "and it is once they can"


@pytest.mark.parametrize("selector", ["", "app in (web", "size>3"])
def test_a_selector_that_tells_nothing_leaves_the_pods_unknown(hand: InHand, selector: str) -> None:
    one = hand.add("web", 5, 10.0)
    hand.api.objects[scale_path()]["status"]["selector"] = selector
    found = hand.evaluate(one)["web"]
    assert found.fault is None and found.decision is not None
    assert found.decision.observation.ready is None


def test_a_quiet_count_is_not_read_again_every_time_but_never_trusted_for_a_write(hand: InHand) -> None:
    one = hand.add("web", 5, 50.0)
    for _ in range(4):
        hand.evaluate(one, after_s=1.0)
    reads = [request for request in hand.api.requests if request.path == scale_path()]
    assert len(reads) == 1
    hand.api.put_scale("web", 9)
    hand.load_is("web", known(90.0))
    found = hand.evaluate(one, after_s=1.0)["web"]
    assert found.setting is not None and found.setting.replicas == 9
    assert hand.api.patches == []


def test_a_count_is_read_again_when_the_number_of_pods_has_changed(hand: InHand) -> None:
    one = hand.add("web", 5, 50.0)
    hand.evaluate(one)
    hand.api.put_scale("web", 6)
    hand.pods_are("web", 5, starting=1)
    found = hand.evaluate(one, after_s=1.0)["web"]
    assert found.setting is not None and found.setting.replicas == 6


@pytest.mark.parametrize("resources, read_again", [(1000, True), (5000, False)])
def test_counts_of_very_many_resources_are_trusted_for_longer(
    hand: InHand, resources: int, read_again: bool
) -> None:
    hand.resources = resources
    one = hand.add("web", 5, 50.0)
    hand.evaluate(one)
    hand.evaluate(one, after_s=100.0)
    reads = [request for request in hand.api.requests if request.path == scale_path()]
    assert len(reads) == (2 if read_again else 1)


@pytest.mark.parametrize("resources", [1, 1000, 5000, 6000])
def test_reading_counts_takes_twenty_requests_a_second_however_many_there_are(resources: int) -> None:
    a_second = sum(1.0 / trusted_s(f"uid-{number}", resources) for number in range(resources))
    assert a_second <= 21.0


def test_no_count_is_trusted_for_longer_than_some_minutes() -> None:
    assert trusted_s("uid", 1_000_000) <= 375.0


def test_a_minimum_is_read_again_after_a_minute_however_many_resources_there_are(hand: InHand) -> None:
    hand.resources = 5000
    scaled = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    spec = {"scaleTargetRef": scaled, "minReplicas": 5, "maxReplicas": 9}
    hand.api.put(hpa_path(), {"metadata": {"uid": "the-hpa"}, "spec": spec})
    one = hand.add("web", 5, 50.0, floor={"kind": "HorizontalPodAutoscaler", "name": "web"})
    assert hand.evaluate(one)["web"].fault is None
    hand.evaluate(one, after_s=100.0)
    reads = [request for request in hand.api.requests if request.path == hpa_path()]
    assert len(reads) == 2


def test_what_needs_no_request_to_the_cluster_is_handed_to_no_thread(hand: InHand) -> None:
    quiet = [hand.add(f"quiet-{number}", 5, 50.0) for number in range(3)]
    hand.evaluate(*quiet)
    handed: list[object] = []
    pool = hand.evaluation.pool
    plain = pool.submit
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pool, "submit", lambda work, *args: handed.append(args) or plain(work, *args))
        hand.evaluate(*quiet, after_s=1.0)
        assert handed == []
        hand.load_is("quiet-0", known(90.0))
        hand.evaluate(*quiet, after_s=1.0)
        assert len(handed) == 2, "its count is read again, and written"


def test_a_step_that_latency_asks_for_is_made_though_the_count_had_to_be_read_again(hand: InHand) -> None:
    signal = {"type": "Latency", "query": "latency", "threshold": "250ms"}
    one = hand.add("web", 4, 35.0, signals=[signal])
    hand.metered.answers["latency"] = known(0.1)
    hand.evaluate(one)
    hand.metered.answers["latency"] = known(0.3)
    assert hand.evaluate(one, after_s=15.0)["web"].write is Write.DONE
    assert hand.api.replicas() == 5
