"""The guards a wish passes through, in the order in which `ORDER` lists them.

Each takes the number so far and the situation and returns the change it makes, or None. Guards
that hold (vetoes, stabilisation, cooldowns) never ask for more than the larger of the present
count and the fresh wish; guards that cap come after them; the bounds come last.
"""

from __future__ import annotations

from collections.abc import Callable

from autoscaler.planning.behavior import limit_down, limit_up, stabilize
from autoscaler.planning.capacity import survive_zone_loss
from autoscaler.planning.decision import Change, Reason
from autoscaler.planning.memory import OutageMemory
from autoscaler.planning.policy import Mode, OnBreach, SignalType
from autoscaler.planning.situation import Situation
from autoscaler.planning.spend import affordable

Guard = Callable[[int, Situation], Change | None]

LEAST_KNOWN = 0.8
"""Share of the decisions within the scale-down window that must have been made on known inputs before
anything is removed; the present one has to be in any case."""


def zone_headroom(wish: int, now: Situation) -> Change | None:
    """Enough replicas that the demand is still met when the configured number of zones fails.

    Comes before stabilisation and leaves out what latency asks for and the count that is held
    where nothing has an opinion: applied to a count that is relative to the present one it would
    multiply itself at every step.
    """
    policy = now.policy
    if policy.zones_lost == 0:
        return None
    relative = [signal.name for signal in policy.signals if signal.type is SignalType.LATENCY]
    need = 0
    for one in now.wishes:
        if one.replicas is not None and one.replicas > need and one.source not in relative:
            need = one.replicas
    after = max(wish, survive_zone_loss(need, policy.zones, policy.zones_lost))
    return _changed(Reason.ZONE_HEADROOM, wish, after, (("zones", policy.zones), ("lost", policy.zones_lost)))


def outage_floor(wish: int, now: Situation) -> Change | None:
    """Keep capacity through an outage and for a recovery window after it.

    Observed load that suddenly falls far below what was forecast while errors or latency are up
    is traffic that will come back, often as a retry storm (Netflix on Scryer, 2013; Bronson et
    al., "Metastable Failures in Distributed Systems", HotOS 2021).
    """
    rule = now.policy.outage
    if rule is None:
        return None
    seen, remembered, at_s = now.observation, now.memory.outage, now.observation.now_s
    collapsed = seen.load.known and seen.load.value < (1.0 - rule.drop) * now.outlook.expected
    if now.unhealthy and (collapsed or remembered is not None):
        floor = max(seen.current, remembered.floor) if remembered is not None else seen.current
        now.outage = OutageMemory(floor=floor, active_s=at_s)
    elif remembered is not None and at_s - remembered.active_s < rule.recovery_s:
        now.outage = remembered
    if now.outage is None:
        return None
    grounds = (
        ("load", seen.load.value),
        ("expected", now.outlook.expected),
        ("since_s", now.outage.active_s),
    )
    return _changed(Reason.OUTAGE_FLOOR, wish, max(wish, now.outage.floor), grounds)


def unknown_veto(wish: int, now: Situation) -> Change | None:
    """No scale-in while any input is unknown, stale or partial, nor before enough of the scale-down
    window is known: a source that fails now and then only holds the count at that moment, one that
    fails often holds it altogether."""
    current = now.observation.current
    if wish >= current:
        return None
    unknown = now.unknown or _unknown_window(now)
    return Change(Reason.UNKNOWN_SIGNAL, wish, current, (("unknown", unknown),)) if unknown else None


def _unknown_window(now: Situation) -> str:
    """How little of the scale-down window is known, where it is too little; empty where it is enough."""
    window_s = now.policy.scale_down.stabilization_s
    since_s = now.observation.now_s - window_s
    unsure = sum(at_s > since_s for at_s, _ in now.memory.unsure)
    if not unsure:
        return ""
    known = 1 + sum(at_s > since_s for at_s, _ in now.memory.recommendations)
    share = known / (known + unsure)
    if share >= LEAST_KNOWN:
        return ""
    return f"only {100 * share:.0f} % of the scale-down window of {window_s:g} s is known"


def remember_demand(wish: int, now: Situation) -> Change | None:
    """Changes nothing: fixes what the stabilisation windows of later decisions will see.

    That is demand: what is held because of something unknown must not hold once more when it is known.
    """
    now.demand = wish
    return None


def stabilization(wish: int, now: Situation) -> Change | None:
    """HPA v2 stabilization windows, in both directions."""
    policy, current = now.policy, now.observation.current
    seen = now.memory.recommendations
    if now.memory.unsure:
        # The rest may have asked for more, or for nothing at all.
        seen = (*seen, *(asked for asked in now.memory.unsure if asked[1] > 0))
    after = stabilize(now.observation.now_s, current, wish, seen, policy.scale_up, policy.scale_down)
    if after == wish:
        return None
    if after < wish:
        window = ("window_s", policy.scale_up.stabilization_s)
        return Change(Reason.SCALE_UP_STABILIZED, wish, after, (window,))
    return Change(
        Reason.SCALE_DOWN_STABILIZED, wish, after, (("window_s", policy.scale_down.stabilization_s),)
    )


def unhealthy_veto(wish: int, now: Situation) -> Change | None:
    """No scale-in while errors or latency are above their thresholds: low load may be the symptom."""
    if not now.unhealthy or wish >= now.observation.current:
        return None
    return Change(Reason.UNHEALTHY, wish, now.observation.current, (("signal", now.unhealthy),))


def starting_veto(wish: int, now: Situation) -> Change | None:
    """No scale-in while pods that were asked for are not ready yet."""
    ready, current = now.observation.ready, now.observation.current
    if ready is None or ready >= current or wish >= current:
        return None
    return Change(Reason.PODS_NOT_READY, wish, current, (("ready", ready), ("asked", current)))


def cooldown(wish: int, now: Situation) -> Change | None:
    """Wait after accepted writes: before scale-out since the last scale-out, before scale-in
    since the last change in either direction. So a scale-in never delays a scale-out."""
    policy, memory, current, at_s = now.policy, now.memory, now.observation.current, now.observation.now_s
    last_up_s = memory.scale_ups[-1][0] if memory.scale_ups else -float("inf")
    if wish > current and at_s - last_up_s < policy.cooldown_up_s:
        grounds = (("cooldown_s", policy.cooldown_up_s), ("since_s", at_s - last_up_s))
        return Change(Reason.SCALE_UP_COOLDOWN, wish, current, grounds)
    if wish < current and policy.cooldown_down_s > 0.0:
        last_s = max(last_up_s, memory.scale_downs[-1][0] if memory.scale_downs else -float("inf"))
        if at_s - last_s < policy.cooldown_down_s:
            grounds = (("cooldown_s", policy.cooldown_down_s), ("since_s", at_s - last_s))
            return Change(Reason.SCALE_DOWN_COOLDOWN, wish, current, grounds)
    return None


def rate_limits(wish: int, now: Situation) -> Change | None:
    """HPA v2 `behavior` policies: how many pods or per cent per period, in each direction."""
    policy, memory, at_s, current = now.policy, now.memory, now.observation.now_s, now.observation.current
    if wish > current:
        after = limit_up(at_s, current, wish, memory.scale_ups, memory.scale_downs, policy.scale_up)
        return _changed(Reason.SCALE_UP_LIMIT, wish, after)
    if wish < current:
        after = limit_down(at_s, current, wish, memory.scale_ups, memory.scale_downs, policy.scale_down)
        return _changed(Reason.SCALE_DOWN_LIMIT, wish, after)
    return None


def scale_out_only(wish: int, now: Situation) -> Change | None:
    """Mode ScaleOutOnly removes nothing, not even what a limit would."""
    if now.policy.mode is not Mode.SCALE_OUT_ONLY:
        return None
    return _changed(Reason.SCALE_OUT_ONLY, wish, max(wish, now.observation.current))


def pending_cap(wish: int, now: Situation) -> Change | None:
    """No further scale-out while too many pods are starting: they may never become ready."""
    cap, ready, current = now.policy.pending_cap, now.observation.ready, now.observation.current
    if cap is None or ready is None or wish <= current:
        return None
    after = max(current, min(wish, ready + cap))
    return _changed(Reason.PENDING_CAP, wish, after, (("ready", ready), ("cap", cap)))


def spend_limit(wish: int, now: Situation) -> Change | None:
    """The tightest of hourly cap, daily and monthly budget; never below the minimum."""
    spend = now.policy.spend
    if spend is None:
        return None
    allowed = affordable(spend, now.memory.spent, now.observation.now_s, now.policy.step_s)
    if allowed is None or wish <= allowed[0]:
        return None
    limit, reason = allowed
    after = max(limit, min(wish, now.policy.min_replicas))
    grounds = (("spent_today", now.memory.spent.day), ("spent_month", now.memory.spent.month))
    change = _changed(reason, wish, after, grounds)
    if change is not None and spend.on_breach is OnBreach.ALERT:
        now.alerts.append(change)
        return None
    return change


def known_event(wish: int, now: Situation) -> Change | None:
    """The minimum of a known event, from one lead time before it starts until it ends."""
    at_s, lead_s = now.observation.now_s, now.policy.lead_time_s
    floor, name = wish, ""
    for event in now.policy.events:
        if event.start_s - lead_s <= at_s < event.end_s and event.min_replicas > floor:
            floor, name = event.min_replicas, event.name
    return _changed(Reason.KNOWN_EVENT, wish, floor, (("event", name),))


def maximum(wish: int, now: Situation) -> Change | None:
    """`maxReplicas`. A count that is already above it (the bound was lowered) comes down no faster
    than `behavior.scaleDown` allows."""
    bound, current = now.policy.max_replicas, now.observation.current
    if wish <= bound:
        return None
    if current > bound:
        memory, rules = now.memory, now.policy.scale_down
        lowered = limit_down(
            now.observation.now_s, current, bound, memory.scale_ups, memory.scale_downs, rules
        )
        bound = min(lowered, wish)
    return _changed(Reason.TOO_MANY_REPLICAS, wish, bound, (("max", now.policy.max_replicas),))


def minimum(wish: int, now: Situation) -> Change | None:
    """`minReplicas`, at once."""
    bound = now.policy.min_replicas
    if wish >= bound:
        return None
    return Change(Reason.TOO_FEW_REPLICAS, wish, bound, (("min", bound),))


def paused(wish: int, now: Situation) -> Change | None:
    """Mode Paused changes nothing at all."""
    if now.policy.mode is not Mode.PAUSED:
        return None
    return _changed(Reason.PAUSED, wish, now.observation.current)


ORDER: tuple[Guard, ...] = (
    zone_headroom,  # what is wanted: demand with a zone missing,
    outage_floor,  # and never less than before an outage
    remember_demand,
    unknown_veto,  # what is unknown removes nothing
    stabilization,  # not on the first wish
    unhealthy_veto,  # nor out of a sick or half-started fleet
    starting_veto,
    cooldown,  # nor too soon after the last change
    rate_limits,  # nor too much at once
    pending_cap,  # what can be used and paid
    spend_limit,
    known_event,  # what a human knows
    maximum,  # and the bounds last
    minimum,
    scale_out_only,  # but a mode that forbids a change forbids it to all of them
    paused,
)


def _changed(
    reason: Reason, before: int, after: int, inputs: tuple[tuple[str, float | str], ...] = ()
) -> Change | None:
    return None if after == before else Change(reason, before, after, inputs)
