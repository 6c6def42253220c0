"""What an evaluation tells a tracer: one span for it, and in it one for reading and one for each write."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from evaluation_in_hand import InHand
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter


@pytest.fixture(scope="module")
def exporter() -> Iterator[InMemorySpanExporter]:
    """What is exported. A process has one tracer provider for good, so it is set once, and shut down here."""
    provider, kept = TracerProvider(), InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    trace.set_tracer_provider(provider)
    yield kept
    provider.shutdown()


@pytest.fixture
def pooled() -> Iterator[InHand]:
    """Evaluations whose requests run in several threads, as the operator's do."""
    hand = InHand(threads=4)
    yield hand
    hand.close()


def _spans(exporter: InMemorySpanExporter, name: str) -> list[ReadableSpan]:
    return [span for span in exporter.get_finished_spans() if span.name == name]


def test_an_evaluation_is_a_span_with_its_reading_and_its_writes_as_children(
    exporter: InMemorySpanExporter, pooled: InHand
) -> None:
    exporter.clear()
    due = [pooled.add(name, 3, 55.0) for name in ("web", "db", "queue")]
    pooled.evaluate(*due)
    (evaluate,) = _spans(exporter, "evaluate")
    (read,) = _spans(exporter, "read")
    writes = _spans(exporter, "write")
    assert evaluate.parent is None
    parents = {span.parent.span_id if span.parent else None for span in (read, *writes)}
    assert parents == {evaluate.context.span_id}
    decided = {planned.key: planned.id for planned, _ in pooled.records.recorded}
    assert sorted(decided) == ["shop/db", "shop/queue", "shop/web"]
    told = [dict(span.attributes or {}) for span in writes]
    assert sorted(told, key=str) == sorted(
        ({"resource": key, "decision": decision} for key, decision in decided.items()), key=str
    )


def test_two_evaluations_share_no_trace(exporter: InMemorySpanExporter, pooled: InHand) -> None:
    exporter.clear()
    web = pooled.add("web", 3, 55.0)
    for _ in range(2):
        pooled.evaluate(web)
    traces = {span.context.trace_id for span in _spans(exporter, "evaluate")}
    assert len(traces) == 2
    assert {span.context.trace_id for span in _spans(exporter, "write")} == traces
