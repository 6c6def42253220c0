"""What all policies of one comparison are tried under: the pods as they are and what they cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from autoscaler.api.whatif.history import Unanswerable
from autoscaler.spec.variation import WrittenPolicy


@dataclass(frozen=True, slots=True)
class Terms:
    """per_replica: load that one ready pod serves. start_up_s: from asking for a pod to its being ready.
    start_up_measured: whether that was seen of the workload's own pods, so that no configured lead time
    counts. price: of a replica for an hour; None when it is not known.
    """

    per_replica: float
    start_up_s: float
    start_up_measured: bool
    price: Decimal | None


def terms_of(present: WrittenPolicy, changed: WrittenPolicy, state: Mapping[str, Any]) -> Terms:
    """The terms for trying `changed` in place of `present`.

    state: the workload's newest state, as the API shows it; may lack anything. A changed load per replica is
    headroom: it changes what the policy reckons with, not what a pod can do. Raises Unanswerable while
    what a pod can do is still to be found out.
    """
    spec = present.resource.spec
    per_replica = spec.load.per_replica or state.get("perReplica")
    if not per_replica:
        raise Unanswerable(
            "what one pod serves is not known yet: load.perReplica is auto and needs more traffic"
        )
    lead_time = state.get("leadTime") or {}
    measured = lead_time.get("source") == "Measured" and lead_time.get("seconds") is not None
    prices = [policy.resource.spec.spend for policy in (changed, present)]
    return Terms(
        per_replica=float(per_replica),
        start_up_s=float(lead_time["seconds"]) if measured else spec.forecast.lead_time_s,
        start_up_measured=measured,
        price=next((spend.replica_hour_price for spend in prices if spend is not None), None),
    )
