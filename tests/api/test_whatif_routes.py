"""What-if over REST: who may, what is refused at once and why, and what comes out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from guarded_service import ANNA
from hypothesis import given, settings
from hypothesis import strategies as st
from odd_questions import Sleep
from recorded_past import DAY_S, MONDAY_S, WORKLOAD, observed
from test_whatif_manifest import PATCHES
from what_if_service import BEN, PATH, READER, WhatIfService, over, what_if_service

from autoscaler.api.access.verbs import Verb
from autoscaler.api.configuration import WhatIf
from autoscaler.api.shapes.jobs import Job, JobList
from autoscaler.api.shapes.whatif import PolicySearchResult, WhatIfResult
from autoscaler.spec import read_text
from autoscaler.store.errors import StoreError
from autoscaler.store.rows import StateKept

QUESTION = {"patch": {"forecast": {"quantile": "0.8"}}, "days": 1}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WhatIfService]:
    with what_if_service(tmp_path_factory.mktemp("store"), settings=WhatIf(per_caller=2)) as made:
        yield made


@pytest.fixture
def quiet(service: WhatIfService) -> Iterator[WhatIfService]:
    """The same service, with nothing under way when the test begins."""
    assert service.jobs is not None
    for caller in (ANNA, BEN):
        for job in service.jobs.of(caller.name):
            service.jobs.cancel(caller.name, job.id)
    return service


def test_a_what_if_is_a_job_whose_result_is_as_described(quiet: WhatIfService) -> None:
    client = quiet.client()
    response = client.post(f"{PATH}/what-if", json=QUESTION)
    assert response.status_code == 202
    queued = response.json()
    Job.model_validate(queued)
    assert response.headers["Location"] == f"/api/v1/jobs/{queued['id']}"
    assert (queued["kind"], queued["workload"], queued["state"]) == ("WhatIf", WORKLOAD, "Queued")
    job = over(client, response.headers["Location"])
    Job.model_validate(job)
    assert (job["state"], job["progress"], job["message"]) == ("Done", 1.0, "")
    result = WhatIfResult.model_validate(job["result"])
    assert result.days == 1
    assert result.start == "2023-11-20T12:00:00Z"
    assert result.runs.changed.replica_hours < result.runs.present.replica_hours
    assert not read_text(result.manifest, "manifest").problems


def test_a_policy_search_is_a_job_whose_result_is_as_described(quiet: WhatIfService) -> None:
    client = quiet.client()
    response = client.post(f"{PATH}/policy-search", json={"days": 0.5, "points": 2})
    assert response.status_code == 202
    job = over(client, response.headers["Location"])
    assert (job["kind"], job["state"]) == ("PolicySearch", "Done")
    result = PolicySearchResult.model_validate(job["result"])
    assert len(result.points) == 6
    assert all((point.manifest is not None) == point.on_front for point in result.points)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        pytest.param({"patch": {"minReplicas": 99}}, "spec.minReplicas", id="invalid outcome"),
        pytest.param(
            {"patch": {"forecast": {"quantil": "0.9"}}}, "spec.forecast.quantil", id="unknown field"
        ),
        pytest.param({"patch": {"load": {"query": "up"}}}, "spec.load.query", id="other load"),
        pytest.param({"patch": []}, "body.patch", id="no object"),
        pytest.param({"days": 7}, "body.patch", id="no patch"),
        pytest.param({"patch": {}, "days": 0}, "body.days", id="no days"),
        pytest.param({"patch": {}, "days": 31}, "body.days", id="too many days"),
        pytest.param({"patch": {}, "days": "7"}, "body.days", id="days as text"),
        pytest.param({"patch": {}, "more": 1}, "body.more", id="unknown key"),
    ],
)
def test_what_cannot_be_tried_is_refused_at_once_with_its_field(
    quiet: WhatIfService, body: dict[str, Any], field: str
) -> None:
    response = quiet.client().post(f"{PATH}/what-if", json=body)
    assert response.status_code == 422
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.json()["errors"][0]["field"] == field


@pytest.mark.parametrize("points", [1, 11, 2.5, "8", None])
def test_a_search_tries_only_so_many_quantiles(quiet: WhatIfService, points: Any) -> None:
    response = quiet.client().post(f"{PATH}/policy-search", json={"points": points})
    assert response.status_code == 422
    assert response.json()["errors"][0]["field"] == "body.points"


@pytest.mark.parametrize("route", ["what-if", "policy-search"])
def test_starting_a_computation_needs_the_right_to_change_and_is_audited(
    quiet: WhatIfService, route: str
) -> None:
    body = QUESTION if route == "what-if" else {}
    assert quiet.client(READER).post(f"{PATH}/{route}", json=body).status_code == 403
    refused = quiet.store.audit(limit=1)[0]
    assert (refused.actor, refused.action, refused.allowed) == ("reader", f"{route}.create", False)
    job = quiet.client().post(f"{PATH}/{route}", json=body).json()
    taken = quiet.store.audit(limit=1)[0]
    assert (taken.actor, taken.action, taken.target, taken.allowed) == (
        "anna", f"{route}.create", WORKLOAD, True,
    )  # fmt: skip
    assert taken.payload == {"job": job["id"], "days": body.get("days", 7)}


def test_a_workload_that_may_be_seen_but_is_not_there_is_not_found(quiet: WhatIfService) -> None:
    client = quiet.client()
    there = "/api/v1/namespaces/{}/workloads/nothing/what-if"
    assert client.post(there.format("shop"), json=QUESTION).status_code == 404
    assert client.post(there.format("pay"), json=QUESTION).status_code == 403


def test_a_caller_with_enough_under_way_is_told_to_wait(quiet: WhatIfService, tmp_path: Path) -> None:
    assert quiet.jobs is not None
    for number in range(2):
        quiet.jobs.submit("anna", "WhatIf", WORKLOAD, Sleep(tmp_path / str(number)))
    response = quiet.client().post(f"{PATH}/what-if", json=QUESTION)
    assert response.status_code == 429
    assert response.json()["code"] == "TooManyJobs"
    assert response.headers["Retry-After"] == "10"
    assert quiet.client(BEN).post(f"{PATH}/what-if", json=QUESTION).status_code == 202


def test_the_same_idempotency_key_starts_one_job(quiet: WhatIfService) -> None:
    client = quiet.client()
    headers = {"Idempotency-Key": "once"}
    first, second = (client.post(f"{PATH}/what-if", json=QUESTION, headers=headers) for _ in range(2))
    assert first.json()["id"] == second.json()["id"]


def test_jobs_are_listed_to_their_owner_alone_without_results(quiet: WhatIfService) -> None:
    client = quiet.client()
    location = client.post(f"{PATH}/what-if", json=QUESTION).headers["Location"]
    job = over(client, location)
    listed = client.get("/api/v1/jobs").json()
    JobList.model_validate(listed)
    assert listed["items"][0] == {**job, "result": None}
    other = quiet.client(BEN)
    assert job["id"] not in [item["id"] for item in other.get("/api/v1/jobs").json()["items"]]
    for response in (other.get(location), other.delete(location)):
        assert (response.status_code, response.json()["code"]) == (404, "JobNotFound")


def test_who_may_no_longer_read_a_namespace_gets_no_results_of_it(quiet: WhatIfService) -> None:
    client = quiet.client()
    location = client.post(f"{PATH}/what-if", json=QUESTION).headers["Location"]
    over(client, location)
    right = ("anna", Verb.READ, "shop")
    quiet.access.rights.remove(right)
    try:
        assert client.get(location).status_code == 403
        assert client.get("/api/v1/jobs").json()["items"] == []
        assert client.delete(location).status_code == 403
    finally:
        quiet.access.rights.add(right)


def test_a_job_is_cancelled_once_and_that_is_audited(quiet: WhatIfService, tmp_path: Path) -> None:
    assert quiet.jobs is not None
    job = quiet.jobs.submit("anna", "WhatIf", WORKLOAD, Sleep(tmp_path / "began"))
    client, location = quiet.client(), f"/api/v1/jobs/{job.id}"
    cancelled = client.delete(location)
    assert (cancelled.status_code, cancelled.json()["state"]) == (200, "Cancelled")
    assert client.delete(location).json() == cancelled.json() == client.get(location).json()
    entries = [entry for entry in quiet.store.audit() if entry.payload.get("job") == job.id]
    assert [entry.action for entry in entries] == ["jobs.cancel"]


@pytest.mark.parametrize("id", ["x", "a" * 22, "..%2Fwhoami", "%00", "é" * 22])
def test_no_other_id_is_a_job(quiet: WhatIfService, id: str) -> None:
    for method in ("GET", "DELETE"):
        assert quiet.client().request(method, f"/api/v1/jobs/{id}").status_code in (404, 422)


def test_a_store_that_cannot_be_written_starts_nothing(
    quiet: WhatIfService, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(rows: Any) -> None:
        raise StoreError("the disk is full")

    monkeypatch.setattr(quiet.store, "write", full)
    response = quiet.client().post(f"{PATH}/what-if", json=QUESTION)
    assert response.status_code == 503
    assert quiet.jobs is not None
    assert all(job.state.over for job in quiet.jobs.of("anna"))


@given(
    st.fixed_dictionaries(
        {"patch": PATCHES}, optional={"days": st.integers() | st.floats() | st.text(max_size=3)}
    )
    | st.dictionaries(st.text(max_size=4), st.integers(), max_size=2)
)
@settings(max_examples=150)
def test_no_body_whatever_gives_a_fault_of_ours(service: WhatIfService, body: dict[str, Any]) -> None:
    assert service.jobs is not None
    with service.client() as client:
        response = client.post(
            f"{PATH}/what-if", content=json.dumps(body), headers={"Content-Type": "application/json"}
        )
    assert response.status_code in (202, 422, 429)
    for job in service.jobs.of("anna"):
        service.jobs.cancel("anna", job.id)


@pytest.mark.parametrize(
    "text", [r'{"patch": {"\ud800": 1}}', r'{"\ud800": 1, "patch": {}}', r'{"patch": "\ud800"}']
)
def test_half_a_character_is_refused(quiet: WhatIfService, text: str) -> None:
    headers = {"Content-Type": "application/json"}
    response = quiet.client().post(f"{PATH}/what-if", content=text, headers=headers)
    assert response.status_code == 422


def test_a_patch_nested_beyond_reason_is_refused(quiet: WhatIfService) -> None:
    for depth in (300, 50_000):
        body = '{"patch": ' + '{"forecast": ' * depth + "1" + "}" * depth + "}"
        headers = {"Content-Type": "application/json"}
        response = quiet.client().post(f"{PATH}/what-if", content=body, headers=headers)
        assert response.status_code in (400, 413, 422)


def test_a_workload_of_which_nothing_was_recorded_has_nothing_to_try_on(tmp_path: Path) -> None:
    service = WhatIfService(tmp_path, 1, WhatIf())
    service.record([])
    response = service.client().post(f"{PATH}/what-if", json=QUESTION)
    assert (response.status_code, response.json()["code"]) == (409, "NothingRecorded")


def test_too_little_history_fails_the_job_with_what_there_is(tmp_path: Path) -> None:
    with what_if_service(tmp_path, days=0.04) as service:
        client = service.client()
        job = over(client, client.post(f"{PATH}/what-if", json=QUESTION).headers["Location"])
    assert job["state"] == "Failed"
    assert "at least 60 are needed" in job["message"]


_UNKNOWN_CAPACITY = {
    "load": {"query": "q", "perReplica": "auto"},
    "signals": [{"type": "Errors", "query": "e", "threshold": "5%"}],
}


@pytest.mark.parametrize(
    ("spec", "code"),
    [
        pytest.param({"maxReplicas": 0}, "SpecInvalid", id="the spec as it stands is invalid"),
        pytest.param(_UNKNOWN_CAPACITY, "CapacityUnknown", id="what a pod serves is still to be found out"),
    ],
)
def test_a_workload_in_no_state_to_be_tried_is_a_conflict(
    tmp_path: Path, spec: dict[str, Any], code: str
) -> None:
    service = WhatIfService(tmp_path, 1, WhatIf())
    service.record(observed(0.1), **spec)
    service.store.write([StateKept(WORKLOAD, service.now_s + 1, {"perReplica": None})])
    service.fleet.look()
    response = service.client().post(f"{PATH}/what-if", json=QUESTION)
    assert (response.status_code, response.json()["code"]) == (409, code)


def test_where_it_is_switched_off_there_are_no_jobs(tmp_path: Path) -> None:
    service = WhatIfService(tmp_path, 1, None)
    service.record(observed(0.1))
    client = service.client()
    response = client.post(f"{PATH}/what-if", json=QUESTION)
    assert (response.status_code, response.json()["code"]) == (409, "WhatIfSwitchedOff")
    assert client.get("/api/v1/jobs").json()["items"] == []
    assert client.get(f"/api/v1/jobs/{'a' * 22}").status_code == 404


def test_the_judged_days_end_where_recording_ends(quiet: WhatIfService) -> None:
    client = quiet.client()
    job = over(client, client.post(f"{PATH}/what-if", json=QUESTION).headers["Location"])
    assert job["result"]["end"] == "2023-11-21T12:00:00Z"
    assert job["result"]["series"]["columns"]["timestamp"][-1] < MONDAY_S + 1.5 * DAY_S
