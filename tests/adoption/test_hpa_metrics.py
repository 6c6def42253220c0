"""What each metric of a HorizontalPodAutoscaler becomes."""

from __future__ import annotations

import pytest
from adopting import HPA, LOAD, adopted, checked, told, with_metrics

from autoscaler.adoption import Outcome, Wanted

CPU_50 = "{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 50}}}"


def _pods(name: str, amount: str) -> str:
    target = f"{{type: AverageValue, averageValue: {amount}}}"
    return f"{{type: Pods, pods: {{metric: {{name: {name}}}, target: {target}}}}}"


def _external(metric: str, target: str) -> str:
    return f"{{type: External, external: {{metric: {metric}, target: {target}}}}}"


def test_cpu_utilization_becomes_a_signal() -> None:
    adoption = adopted(with_metrics(CPU_50), LOAD)
    assert adoption.manifest["spec"]["signals"] == [{"type": "CPU", "name": "cpu", "targetUtilization": 50}]
    assert not adoption.needs_human


@pytest.mark.parametrize(
    ("text", "target"),
    [
        pytest.param(HPA, 80, id="v2 without metrics"),
        pytest.param(
            HPA.replace("autoscaling/v2", "autoscaling/v1") + "  targetCPUUtilizationPercentage: 65\n",
            65,
            id="v1",
        ),
        pytest.param(HPA.replace("autoscaling/v2", "autoscaling/v1"), 80, id="v1 without a target"),
        pytest.param(with_metrics(CPU_50).replace("autoscaling/v2", "autoscaling/v2beta2"), 50, id="v2beta2"),
    ],
)
def test_every_version_gives_its_cpu_target(text: str, target: int) -> None:
    (signal,) = adopted(text).manifest["spec"]["signals"]
    assert signal["targetUtilization"] == target


def test_a_container_of_its_own_is_a_signal_of_the_whole_pod_and_said_to_be() -> None:
    container = "{name: cpu, container: app, target: {type: Utilization, averageUtilization: 60}}"
    metric = f"{{type: ContainerResource, containerResource: {container}}}"
    adoption = adopted(with_metrics(CPU_50, metric), LOAD)
    assert [signal["name"] for signal in adoption.manifest["spec"]["signals"]] == ["cpu", "cpu-app"]
    assert "container app alone" in told(adoption, Outcome.LOST)["spec.metrics[1]"]
    assert checked(adoption).problems == []


@pytest.mark.parametrize(
    ("metric", "said"),
    [
        pytest.param(
            "{type: Resource, resource: {name: cpu, target: {type: AverageValue, averageValue: 500m}}}",
            "P = 100 × 500m / CPU request of a pod; with a request of 1, that is 50",
            id="CPU in cores",
        ),
        pytest.param(
            "{type: Resource, resource: {name: memory, target: {type: Utilization, averageUtilization: 80}}}",
            "says what pods hold, not what is asked of them",
            id="memory",
        ),
        pytest.param(
            "{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 1001}}}",
            "above the 1000 %",
            id="more CPU than a signal may have",
        ),
        pytest.param(
            "{type: Resource, resource: {name: ephemeral-storage, target: {type: Value, value: 1G}}}",
            "no signal for the resource ephemeral-storage",
            id="another resource",
        ),
        pytest.param(
            _external("{name: requests-per-second}", "{type: Value, value: 10k}"),
            "compared with 10k as a whole",
            id="a target for all replicas together",
        ),
        pytest.param(_pods("http_latency_p95", "200m"), "seems to measure the pods", id="a response time"),
        pytest.param(
            _external("{name: pubsub_num_undelivered_messages}", "{type: AverageValue, averageValue: 20}"),
            "kept at 20 for each replica, is a backlog and no demand",
            id="a backlog",
        ),
        pytest.param(
            _external("{name: queue_depth}", "{type: Value, value: 20}"),
            "kept at 20 in all, is a backlog",
            id="a backlog in all",
        ),
    ],
)
def test_what_cannot_be_carried_over_is_named_with_what_it_means(metric: str, said: str) -> None:
    adoption = adopted(with_metrics(CPU_50, metric), LOAD)
    lost = told(adoption, Outcome.LOST)
    assert list(lost) == ["spec.metrics[1]"]
    assert said in lost["spec.metrics[1]"]
    assert adoption.needs_human
    assert checked(adoption).problems == []


@pytest.mark.parametrize(
    ("metric", "query", "per_replica"),
    [
        pytest.param(
            _pods("http_requests_per_second", "100"),
            'sum(rate(http_requests_total{namespace="shop",pod=~"web-.*"}[2m]))',
            100,
            id="a rate, as the Prometheus adapter names it",
        ),
        pytest.param(
            _pods("packets-per-second", "1k"),
            'sum(rate(packets_total{namespace="shop",pod=~"web-.*"}[2m]))',
            1000,
            id="with dashes",
        ),
        pytest.param(
            _external(
                "{name: http_requests_total, selector: {matchLabels: {verb: GET, path: 'a\"b'}}}",
                "{type: AverageValue, averageValue: 500m}",
            ),
            'sum(rate(http_requests_total{verb="GET",path="a\\"b"}[2m]))',
            "500m",
            id="a counter with labels",
        ),
        pytest.param(
            _external("{name: active_users}", "{type: AverageValue, averageValue: 1e3}"),
            "sum(active_users)",
            1000,
            id="a gauge, and an exponent",
        ),
        pytest.param(
            "{type: Object, object: {metric: {name: requests-per-second}, describedObject: {apiVersion: "
            "networking.k8s.io/v1, kind: Ingress, name: main}, "
            "target: {type: AverageValue, averageValue: 2k}}}",
            'sum(rate(requests_total{namespace="shop",ingress="main"}[2m]))',
            2000,
            id="of an object",
        ),
    ],
)
def test_an_average_target_is_the_amount_per_replica_of_a_query_to_be_checked(
    metric: str, query: str, per_replica: object
) -> None:
    adoption = adopted(with_metrics(metric))
    assert adoption.manifest["spec"]["load"] == {"query": query, "perReplica": per_replica}
    assert list(told(adoption, Outcome.FILL_IN)) == ["spec.load.query"]
    assert checked(adoption).problems == []


def test_a_metric_that_prometheus_cannot_have_keeps_its_amount_and_leaves_the_query_open() -> None:
    name = "pubsub.googleapis.com|topic|send_request_count"
    adoption = adopted(
        with_metrics(_external(f"{{name: '{name}'}}", "{type: AverageValue, averageValue: 5}"))
    )
    assert adoption.manifest["spec"]["load"] == {"query": None, "perReplica": 5}
    assert name in told(adoption, Outcome.FILL_IN)["spec.load.query"]


def test_a_second_load_is_lost_and_said_to_be() -> None:
    metrics = _pods("http_requests_per_second", "100"), _pods("grpc_calls_per_second", "70")
    adoption = adopted(with_metrics(*metrics))
    assert adoption.manifest["spec"]["load"]["perReplica"] == 100
    assert "grpc_calls_total" in told(adoption, Outcome.LOST)["spec.metrics[1]"]


def test_selectors_that_are_not_in_the_query_are_named() -> None:
    metric = "{name: calls_total, selector: {matchExpressions: [{key: a, operator: Exists}]}}"
    adoption = adopted(with_metrics(_external(metric, "{type: AverageValue, averageValue: 5}")))
    assert "matchExpressions are not in it" in told(adoption, Outcome.FILL_IN)["spec.load.query"]


def test_what_the_user_says_about_the_load_comes_first() -> None:
    adoption = adopted(with_metrics(_pods("http_requests_per_second", "100")), LOAD)
    assert adoption.manifest["spec"]["load"] == {"query": LOAD.load_query, "perReplica": LOAD.per_replica}
    assert not adoption.needs_human


def test_an_amount_taken_over_beside_a_query_of_the_users_own_is_to_be_checked() -> None:
    adoption = adopted(with_metrics(_pods("calls_per_second", "100")), Wanted(load_query="sum(up)"))
    assert adoption.manifest["spec"]["load"] == {"query": "sum(up)", "perReplica": 100}
    assert "unit of --load-query" in told(adoption, Outcome.FILL_IN)["spec.load.perReplica"]


def test_amounts_that_v1_hides_in_an_annotation_are_named() -> None:
    hidden = "{name: web, annotations: {autoscaling.alpha.kubernetes.io/metrics: '[]'}}"
    text = HPA.replace("autoscaling/v2", "autoscaling/v1").replace("{name: web, namespace: shop}", hidden)
    (lost,) = told(adopted(text, LOAD), Outcome.LOST).values()
    assert "export the object in version v2" in lost
