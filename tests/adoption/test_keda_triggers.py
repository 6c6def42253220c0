"""What each trigger of a ScaledObject becomes."""

from __future__ import annotations

import pytest
import yaml
from adopting import CPU, LOAD, adopted, checked, told, with_triggers

from autoscaler.adoption import Outcome, Wanted, written


def _trigger(kind: str, metric_type: str = "", **metadata: str) -> str:
    found = {"type": kind, "metadata": metadata} | ({"metricType": metric_type} if metric_type else {})
    return f"  - {yaml.safe_dump(found, default_flow_style=True, sort_keys=False, width=1000).strip()}\n"


def _prometheus(query: str, threshold: str = "100", **more: str) -> str:
    address = {"serverAddress": "http://prometheus:9090"}
    return _trigger("prometheus", **{**address, "query": query, "threshold": threshold, **more})


REQUESTS = 'sum(rate(http_requests_total{app="cpu-miner"}[2m]))'


def test_a_prometheus_trigger_is_the_load_once_its_source_is_confirmed() -> None:
    adoption = adopted(with_triggers(_prometheus(REQUESTS + "\n")))
    assert adoption.manifest["spec"]["load"] == {"query": REQUESTS, "perReplica": 100}
    (open_question,) = told(adoption, Outcome.FILL_IN).values()
    assert "http://prometheus:9090" in open_question
    assert "spec.load.source" in open_question
    assert checked(adoption).problems == []


@pytest.mark.parametrize(
    ("threshold", "per_replica"),
    [("100", 100), ("0.5", "0.5"), ("1e2", 100), ("2.50", "2.50"), ("0", None), ("-3", None), ("many", None)],
)
def test_the_threshold_is_the_amount_per_replica_if_it_is_one(threshold: str, per_replica: object) -> None:
    adoption = adopted(with_triggers(_prometheus(REQUESTS, threshold)))
    assert adoption.manifest["spec"]["load"]["perReplica"] == per_replica


@pytest.mark.parametrize(
    ("query", "metric_type", "said"),
    [
        pytest.param(REQUESTS, "Value", "as a whole, which says nothing", id="target in all"),
        pytest.param(
            'sum(rate(container_cpu_usage_seconds_total{pod=~"web.*"}[2m]))', "", "measure the pods", id="CPU"
        ),
        pytest.param(
            "histogram_quantile(0.9, rate(request_seconds_bucket[5m]))", "", "measure the pods", id="time"
        ),
        pytest.param("sum(jvm_memory_used_bytes)", "", "measure the pods", id="memory"),
        pytest.param('sum(rabbitmq_queue_messages{queue="a"})', "", "is a backlog", id="backlog"),
    ],
)
def test_a_query_that_is_no_demand_is_not_forecast(query: str, metric_type: str, said: str) -> None:
    trigger = _trigger("prometheus", metric_type, query=query, threshold="100")
    adoption = adopted(with_triggers(trigger), LOAD)
    assert said in told(adoption, Outcome.LOST)["spec.triggers[0]"]
    assert adoption.manifest["spec"]["load"]["query"] == LOAD.load_query
    assert checked(adoption).problems == []


def test_a_histogram_counts_requests_whatever_its_name() -> None:
    query = "sum(rate(http_request_duration_seconds_count[2m]))"
    assert adopted(with_triggers(_prometheus(query))).manifest["spec"]["load"]["query"] == query


def test_an_average_is_warned_of() -> None:
    adoption = adopted(with_triggers(_prometheus("avg(rate(http_requests_total[2m]))")))
    assert "It averages" in told(adoption, Outcome.FILL_IN)["spec.load.query"]


def test_a_query_too_long_for_us_is_left_open() -> None:
    adoption = adopted(with_triggers(_prometheus(f'sum(rate(http_requests_total{{a="{"b" * 4096}"}}[2m]))')))
    assert adoption.manifest["spec"]["load"]["query"] is None
    assert "more than 4096 characters" in told(adoption, Outcome.FILL_IN)["spec.load.query"]


def test_addresses_and_credentials_stay_with_the_administrator() -> None:
    triggers = (
        _prometheus(REQUESTS, authModes="bearer").rstrip()[:-1] + ", authenticationRef: {name: secret}}\n"
    )
    adoption = adopted(with_triggers(triggers), LOAD)
    said = told(adoption, Outcome.NO_NEED)["spec.triggers[0].metadata"]
    assert said.startswith("serverAddress, authModes, authenticationRef: a resource only names a source")
    assert not adoption.needs_human
    assert "prometheus:9090" not in written([adoption])


def test_an_empty_answer_is_said_to_be_no_zero_here_unless_it_was_none_before() -> None:
    field = "spec.triggers[0].metadata.ignoreNullValues"
    assert field in told(adopted(with_triggers(_prometheus(REQUESTS))), Outcome.NO_NEED)
    asked = adopted(with_triggers(_prometheus(REQUESTS, ignoreNullValues="false")))
    assert field not in told(asked, Outcome.NO_NEED)


@pytest.mark.parametrize(
    ("trigger", "target"),
    [
        (_trigger("cpu", "Utilization", value="70"), 70),
        pytest.param(_trigger("cpu", type="Utilization", value="65"), 65, id="old form"),
    ],
)
def test_cpu_becomes_a_signal(trigger: str, target: int) -> None:
    adoption = adopted(with_triggers(trigger), LOAD)
    assert adoption.manifest["spec"]["signals"] == [
        {"type": "CPU", "name": "cpu", "targetUtilization": target}
    ]


@pytest.mark.parametrize(
    ("trigger", "said"),
    [
        pytest.param(_trigger("cpu", "AverageValue", value="250m"), "P = 100 × 250m", id="CPU in cores"),
        pytest.param(_trigger("cpu", "Utilization", value="much"), "a target of much CPU", id="no number"),
        pytest.param(_trigger("memory", "Utilization", value="80"), "what pods hold", id="memory"),
        pytest.param(_trigger("datadog", query="q"), "type datadog has no counterpart", id="other"),
    ],
)
def test_triggers_without_counterpart_are_named(trigger: str, said: str) -> None:
    adoption = adopted(with_triggers(trigger), LOAD)
    assert said in told(adoption, Outcome.LOST)["spec.triggers[0]"]


def test_windows_of_cron_are_left_to_the_forecast_in_their_own_time_zone() -> None:
    window = {"start": "0 8 * * *", "end": "0 18 * * *", "desiredReplicas": "10"}
    adoption = adopted(with_triggers(CPU + _trigger("cron", timezone="Asia/Kolkata", **window)), LOAD)
    assert adoption.manifest["spec"]["forecast"] == {"timeZone": "Asia/Kolkata"}
    assert "10 replicas from 0 8 * * * to 0 18 * * *" in told(adoption, Outcome.LOST)["spec.triggers[1]"]
    assert checked(adoption).problems == []


def test_a_time_zone_that_does_not_exist_is_not_taken_over() -> None:
    adoption = adopted(with_triggers(CPU + _trigger("cron", timezone="Mars/Olympus")), LOAD)
    assert "forecast" not in adoption.manifest["spec"]


QUEUES = [
    (
        _trigger("rabbitmq", queueName="orders", mode="QueueLength", value="20"),
        'sum(rabbitmq_queue_messages{queue="orders"})',
    ),
    (
        _trigger("rabbitmq", queueName="orders", excludeUnacknowledged="true"),
        'sum(rabbitmq_queue_messages_ready{queue="orders"})',
    ),
    (
        _trigger("kafka", topic="orders", consumerGroup="shop", lagThreshold="50"),
        'sum(kafka_consumergroup_lag{consumergroup="shop",topic="orders"})',
    ),
    (
        _trigger("aws-sqs-queue", queueURL="https://sqs.eu-west-1.amazonaws.com/1/orders"),
        'sum(aws_sqs_approximate_number_of_messages_visible_average{queue_name="orders"})',
    ),
    (_trigger("redis", listName="jobs"), 'sum(redis_key_size{key="jobs"})'),
    (
        _trigger("redis-streams", stream="s", consumerGroup="g"),
        'sum(redis_stream_group_messages_pending{stream="s",group="g"})',
    ),
    (_trigger("azure-servicebus", queueName="orders"), "PROMQL"),
    (_trigger("kafka"), "PROMQL"),
]


@pytest.mark.parametrize(("trigger", "query"), QUEUES)
def test_a_queue_is_proposed_as_a_signal_that_is_valid_once_uncommented(trigger: str, query: str) -> None:
    adoption = adopted(with_triggers(trigger), LOAD)
    assert "is a backlog and no demand" in told(adoption, Outcome.LOST)["spec.triggers[0]"]
    lines = written([adoption]).splitlines()
    plain = "\n".join(line.replace("# ", "", 1) if "fill in" not in line else "" for line in lines)
    spec = yaml.safe_load(plain)["spec"]
    assert spec["signals"][0] == {"type": "QueueDepth", "query": query, "drainWithin": "60s", "perReplica": 1}
    assert checked(adoption).problems == []


def test_a_queue_beside_other_signals_continues_their_list_once_uncommented() -> None:
    behavior = "advanced: {horizontalPodAutoscalerConfig: {behavior: {scaleDown: {selectPolicy: Min}}}}"
    adoption = adopted(with_triggers(CPU + _trigger("redis", listName="jobs"), behavior), LOAD)
    lines = [line for line in written([adoption]).splitlines() if "fill in" not in line]
    spec = yaml.safe_load("\n".join(line.replace("# ", "", 1) for line in lines))["spec"]
    assert [signal["type"] for signal in spec["signals"]] == ["CPU", "QueueDepth"]
    assert spec["behavior"] == {"scaleDown": {"selectPolicy": "Min"}}


def test_the_arrivals_of_a_queue_are_proposed_where_the_load_is_asked_for() -> None:
    adoption = adopted(with_triggers(QUEUES[0][0]))
    asked = told(adoption, Outcome.FILL_IN)["spec.load.query"]
    assert 'sum(rate(rabbitmq_queue_messages_published_total{queue="orders"}[2m]))' in asked


def test_a_rate_of_messages_is_a_load() -> None:
    adoption = adopted(with_triggers(_trigger("rabbitmq", queueName="a", mode="MessageRate", value="8")))
    query = 'sum(rate(rabbitmq_queue_messages_published_total{queue="a"}[2m]))'
    assert adoption.manifest["spec"]["load"] == {"query": query, "perReplica": 8}


@pytest.mark.parametrize(("low", "outcome"), [(0, Outcome.LOST), (1, Outcome.NO_NEED)])
def test_activation_matters_only_where_zero_replicas_are_reached(low: int, outcome: Outcome) -> None:
    trigger = _prometheus(REQUESTS, activationThreshold="5")
    adoption = adopted(with_triggers(trigger, f"minReplicaCount: {low}\n"), LOAD)
    assert "spec.triggers[0].metadata.activationThreshold" in told(adoption, outcome)


def test_what_a_formula_combines_has_no_amount_of_its_own() -> None:
    formula = 'advanced: {scalingModifiers: {formula: a + b, target: "2"}}\n'
    adoption = adopted(with_triggers(_prometheus(REQUESTS), formula))
    assert adoption.manifest["spec"]["load"]["perReplica"] is None
    assert "'a + b'" in told(adoption, Outcome.LOST)["spec.advanced.scalingModifiers"]


def test_metadata_that_nobody_knows_here_is_not_dropped_in_silence() -> None:
    adoption = adopted(with_triggers(_prometheus(REQUESTS, novelty="yes")), LOAD)
    assert list(told(adoption, Outcome.LOST)) == ["spec.triggers[0].metadata.novelty"]


def test_a_user_who_gives_the_load_has_nothing_left_to_fill_in() -> None:
    adoption = adopted(with_triggers(_prometheus(REQUESTS) + CPU), Wanted("sum(up)", 3))
    assert not adoption.needs_human
