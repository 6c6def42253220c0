"""The SQL that reads decisions, and decisions as they come back."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import Connection, Row, exists, select

from autoscaler.store import schema
from autoscaler.store.ids import first_number, id_number, id_text
from autoscaler.store.payload import unpacked
from autoscaler.store.reading import named
from autoscaler.store.rows import FoundDecision, Page, WholeDecision

_Workload = schema.Workload
_Decision = schema.Decision
_SUMMARY = (
    _Workload.namespace,
    _Workload.name,
    _Decision.id,
    _Decision.at_s,
    _Decision.before,
    _Decision.after,
    _Decision.reasons,
    _Decision.outcome,
    _Decision.sentence,
)


def find_decisions(
    connection: Connection,
    *,
    workload: str | None,
    namespaces: Collection[str] | None,
    reason: str | None,
    since_s: float | None,
    until_s: float | None,
    before: str | None,
    limit: int,
) -> Page:
    """Newest first; see `Store.decisions`."""
    query = named(
        select(*_SUMMARY).join(_Workload, _Workload.id == _Decision.workload_id), workload, namespaces
    )
    number = _Decision.id
    if reason is not None:
        link = schema.DecisionReason
        named_so = select(schema.Reason.id).where(schema.Reason.name == reason).scalar_subquery()
        if workload is None and namespaces is None:
            query = query.join(link, link.decision_id == _Decision.id).where(link.reason_id == named_so)
            number = link.decision_id
        else:
            # Of few workloads their own decisions are looked through, not those of all for the reason.
            query = query.where(exists().where(link.reason_id == named_so, link.decision_id == _Decision.id))
    if since_s is not None:
        query = query.where(number >= first_number(since_s))
    if until_s is not None:
        query = query.where(number < first_number(until_s))
    if before is not None:
        query = query.where(number < id_number(before))
    # One more than asked for tells whether there is another page.
    found = connection.execute(query.order_by(number.desc()).limit(limit + 1)).all()
    decisions = tuple(_summary(row) for row in found[:limit])
    return Page(decisions, decisions[-1].id if len(found) > limit else None)


def find_decisions_after(connection: Connection, number: int, limit: int) -> list[FoundDecision]:
    """Oldest first, from the first that is newer than that identifier."""
    query = select(*_SUMMARY).join(_Workload, _Workload.id == _Decision.workload_id)
    query = query.where(_Decision.id > number).order_by(_Decision.id).limit(limit)
    return [_summary(row) for row in connection.execute(query)]


def _summary(row: Row[*tuple[Any, ...]]) -> FoundDecision:
    return FoundDecision(
        workload=f"{row.namespace}/{row.name}",
        id=id_text(row.id),
        at_s=row.at_s,
        before=row.before,
        after=row.after,
        reasons=tuple(filter(None, row.reasons.split(","))),
        outcome=row.outcome,
        sentence=row.sentence,
    )


def find_decision(connection: Connection, number: int) -> WholeDecision | None:
    """One decision with its payload, shared parts included."""
    document = schema.Document
    query = (
        select(*_SUMMARY, _Decision.payload, document.payload.label("document"))
        .join(_Workload, _Workload.id == _Decision.workload_id)
        .outerjoin(document, document.id == _Decision.document_id)
        .where(_Decision.id == number)
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    payload: Mapping[str, Any] = unpacked(row.payload)
    if row.document is not None:
        payload = {**unpacked(row.document), **payload}
    return WholeDecision(_summary(row), payload)
