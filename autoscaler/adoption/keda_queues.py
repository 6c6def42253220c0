"""Queues that KEDA asks directly, and where Prometheus usually has the same from.

Names are those of the exporters most in use: RabbitMQ's own plugin, kafka_exporter, redis_exporter,
the exporters for CloudWatch and Stackdriver, prometheus-nats-exporter.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from autoscaler.adoption.keda_form import Trigger
from autoscaler.adoption.measures import Matcher, increases, series
from autoscaler.adoption.scaler import QueueProposal


@dataclass(frozen=True, slots=True)
class _Queue:
    """How a type of trigger names its queue and its aim, and the queries for it.

    aim: field of the waiting items for each replica, with KEDA's default.
    """

    what: str
    name: str
    aim: tuple[str, str]
    depth: Callable[[Trigger], str] = lambda trigger: ""
    arrivals: Callable[[Trigger], str] = lambda trigger: ""


def rabbit_arrivals(trigger: Trigger) -> str:
    """Messages arriving in the queue of a RabbitMQ trigger, per second."""
    return increases("rabbitmq_queue_messages_published_total", [Matcher("queue", trigger.get("queueName"))])


def _rabbit_depth(trigger: Trigger) -> str:
    ready_only = trigger.get("excludeUnacknowledged") == "true"
    metric = "rabbitmq_queue_messages_ready" if ready_only else "rabbitmq_queue_messages"
    return series(metric, [Matcher("queue", trigger.get("queueName"))])


def _kafka_depth(trigger: Trigger) -> str:
    group = Matcher("consumergroup", trigger.get("consumerGroup"))
    topic = trigger.get("topic")
    return series("kafka_consumergroup_lag", [group, Matcher("topic", topic)] if topic else [group])


def _kafka_arrivals(trigger: Trigger) -> str:
    topic = trigger.get("topic")
    return increases("kafka_topic_partition_current_offset", [Matcher("topic", topic)]) if topic else ""


def _sqs_name(trigger: Trigger) -> list[Matcher]:
    return [Matcher("queue_name", trigger.get("queueURL").rstrip("/").rpartition("/")[2])]


def _stream(trigger: Trigger) -> list[Matcher]:
    return [Matcher("stream", trigger.get("stream")), Matcher("group", trigger.get("consumerGroup"))]


def _nats(trigger: Trigger) -> list[Matcher]:
    return [
        Matcher("stream_name", trigger.get("stream")),
        Matcher("consumer_name", trigger.get("consumer")),
        Matcher("is_consumer_leader", "true"),
    ]


_QUEUES = {
    "rabbitmq": _Queue("RabbitMQ queue", "queueName", ("value", "20"), _rabbit_depth, rabbit_arrivals),
    "kafka": _Queue("Kafka topic", "topic", ("lagThreshold", "10"), _kafka_depth, _kafka_arrivals),
    "apache-kafka": _Queue("Kafka topic", "topic", ("lagThreshold", "10"), _kafka_depth, _kafka_arrivals),
    "aws-sqs-queue": _Queue(
        "SQS queue",
        "queueURL",
        ("queueLength", "5"),
        lambda trigger: series("aws_sqs_approximate_number_of_messages_visible_average", _sqs_name(trigger)),
    ),
    "redis": _Queue(
        "Redis list",
        "listName",
        ("listLength", "5"),
        lambda trigger: series("redis_key_size", [Matcher("key", trigger.get("listName"))]),
    ),
    "redis-streams": _Queue(
        "Redis stream",
        "stream",
        ("pendingEntriesCount", "5"),
        lambda trigger: series("redis_stream_group_messages_pending", _stream(trigger)),
    ),
    "nats-jetstream": _Queue(
        "JetStream stream",
        "stream",
        ("lagThreshold", "10"),
        lambda trigger: series("jetstream_consumer_num_pending", _nats(trigger)),
    ),
    "gcp-pubsub": _Queue(
        "Pub/Sub subscription",
        "subscriptionName",
        ("value", "10"),
        lambda trigger: series(
            "stackdriver_pubsub_subscription_pubsub_googleapis_com_subscription_num_undelivered_messages",
            [Matcher("subscription_id", trigger.get("subscriptionName").rpartition("/")[2])],
        ),
    ),
    "azure-servicebus": _Queue("Service Bus queue", "queueName", ("messageCount", "5")),
    "azure-queue": _Queue("storage queue", "queueName", ("queueLength", "5")),
    "azure-eventhub": _Queue("event hub", "eventHubName", ("unprocessedEventThreshold", "64")),
    "activemq": _Queue("ActiveMQ queue", "destinationName", ("targetQueueSize", "10")),
    "artemis-queue": _Queue("Artemis queue", "queueName", ("queueLength", "10")),
    "ibmmq": _Queue("IBM MQ queue", "queueName", ("queueDepth", "20")),
    "beanstalkd": _Queue("beanstalkd tube", "tube", ("value", "")),
    "pulsar": _Queue("Pulsar subscription", "subscription", ("msgBacklogThreshold", "10")),
    "solace-event-queue": _Queue("Solace queue", "queueName", ("messageCountTarget", "")),
    "stan": _Queue("NATS streaming channel", "subject", ("lagThreshold", "10")),
}


def queue_of(field: str, trigger: Trigger) -> QueueProposal | None:
    """The queue that a trigger is about; None for a type that is no queue."""
    queue = _QUEUES.get(trigger.type)
    if queue is None:
        return None
    name = trigger.get(queue.name)
    aim = trigger.get(queue.aim[0], queue.aim[1])
    return QueueProposal(
        field,
        f"{queue.what} {name}" if name else queue.what,
        f"{aim} for each replica" if aim else "",
        queue.depth(trigger) if name else "",
        queue.arrivals(trigger) if name else "",
    )
