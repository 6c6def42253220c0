"""The SQL that reads decisions, and decisions as they come back."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Select, bindparam, exists, select

from autoscaler.store import schema
from autoscaler.store.ids import first_number, id_number, id_text
from autoscaler.store.payload import unpacked
from autoscaler.store.reading import WORKLOAD_ID, named, values_of
from autoscaler.store.rows import FoundDecision, Page, WholeDecision

_Workload = schema.Workload
_Decision = schema.Decision
_SUMMARY = (
    _Decision.id,
    _Decision.at_s,
    _Decision.before,
    _Decision.after,
    _Decision.reasons,
    _Decision.outcome,
    _Decision.sentence,
)
# Made once: to put a query together takes as long as to carry it out.
_SUMMARIES = select(_Workload.namespace, _Workload.name, *_SUMMARY).join(
    _Workload, _Workload.id == _Decision.workload_id
)
_SUMMARIES_OF_ONE = select(*_SUMMARY).where(_Decision.workload_id == WORKLOAD_ID)
_WHOLE = (
    _SUMMARIES.add_columns(_Decision.payload, schema.Document.payload.label("document"))
    .outerjoin(schema.Document, schema.Document.id == _Decision.document_id)
    .where(_Decision.id == bindparam("number"))
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
    query: Select[*tuple[Any, ...]] = named(_SUMMARIES, None, namespaces)
    values: dict[str, Any] = {}
    if workload is not None:
        query, values = _SUMMARIES_OF_ONE, values_of(workload)
        if namespaces is not None and values["namespace"] not in namespaces:
            return Page((), None)
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
    found = connection.execute(query.order_by(number.desc()).limit(limit + 1), values).all()
    whose = () if workload is None else (values["namespace"], values["name"])
    decisions = tuple(_summary((*whose, *row)) for row in found[:limit])
    return Page(decisions, decisions[-1].id if len(found) > limit else None)


def find_decisions_after(connection: Connection, number: int, limit: int) -> list[FoundDecision]:
    """Oldest first, from the first that is newer than that identifier."""
    query = _SUMMARIES.where(_Decision.id > number).order_by(_Decision.id).limit(limit)
    return [_summary(row) for row in connection.execute(query)]


def _summary(row: Sequence[Any]) -> FoundDecision:
    """A row of `_SUMMARIES`. To unpack it takes a third of the time that its attributes do."""
    namespace, name, number, at_s, before, after, reasons, outcome, sentence = row
    return FoundDecision(
        workload=f"{namespace}/{name}",
        id=id_text(number),
        at_s=at_s,
        before=before,
        after=after,
        reasons=tuple(filter(None, reasons.split(","))),
        outcome=outcome,
        sentence=sentence,
    )


def find_decision(connection: Connection, number: int) -> WholeDecision | None:
    """One decision with its payload, shared parts included."""
    row = connection.execute(_WHOLE, {"number": number}).one_or_none()
    if row is None:
        return None
    *found, own, document = row
    payload: Mapping[str, Any] = unpacked(own)
    if document is not None:
        payload = {**unpacked(document), **payload}
    return WholeDecision(_summary(found), payload)
