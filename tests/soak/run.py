"""The long random run of the decision core: every rule of `tests/properties/world.py` at every step.

    python tests/soak/run.py [--steps 10000000] [--seed 1] [--jobs 2]

Made of episodes, each with a seed, a policy, traffic and faults of its own. A broken rule names
the seed of its episode; `--seed N --steps 1` runs that episode again.
"""

from __future__ import annotations

import argparse
import math
import multiprocessing
import random
import sys
import time
import traceback
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from autoscaler.planning.policy import (
    KnownEvent,
    Mode,
    OutagePolicy,
    Policy,
    PolicyType,
    RatePolicy,
    ScalingRules,
    SelectPolicy,
    SignalPolicy,
    SignalType,
    SpendPolicy,
)
from autoscaler.series import Reading, State
from tests.properties.world import Weather, World

EPISODE_STEPS = 1000
START_S = 1_700_000_000.0
UNKNOWN = [state for state in State if state is not State.VALUE]
SIGNALS = (
    SignalPolicy("cpu", SignalType.CPU, target=70.0),
    SignalPolicy("queue", SignalType.QUEUE_DEPTH, drain_within_s=60.0, per_replica=5.0),
    SignalPolicy("latency", SignalType.LATENCY, target=0.25),
    SignalPolicy("errors", SignalType.ERRORS, target=0.05),
)


@dataclass(frozen=True, slots=True)
class Climate:
    """How often what happens in an episode, as chances per step."""

    noise: float
    jump: float
    unknown: float
    sick: float
    stuck: float
    refused: float
    restart: float
    lost: float
    pause: float
    forecast: float


def some_policy(rng: random.Random) -> Policy:
    """Any policy that validation lets through, in plain numbers."""
    low = rng.randint(0, 20)
    high = rng.randint(max(1, low), 400)
    start_s = START_S + rng.uniform(0, 40_000)
    events = (
        (KnownEvent("launch", start_s, start_s + 3600, rng.randint(1, 60)),) if rng.random() < 0.3 else ()
    )
    zones_lost = rng.choice([0, 0, 1])
    return Policy(
        name="soak",
        min_replicas=low,
        max_replicas=high,
        load_per_replica=rng.choice([0.5, 10.0, 333.3]),
        lead_time_s=rng.choice([15.0, 180.0, 900.0]),
        step_s=rng.choice([15.0, 60.0, 300.0]),
        mode=rng.choice([Mode.ACTIVE] * 8 + [Mode.SCALE_OUT_ONLY, Mode.PAUSED]),
        signals=tuple(signal for signal in SIGNALS if rng.random() < 0.4),
        scale_up=_rules(rng),
        scale_down=_rules(rng),
        cooldown_up_s=rng.choice([0.0, 0.0, 120.0]),
        cooldown_down_s=rng.choice([0.0, 300.0]),
        outage=OutagePolicy(0.5, 600.0) if rng.random() < 0.4 else None,
        zones=3,
        zones_lost=zones_lost,
        pending_cap=rng.choice([None, rng.randint(1, 50)]),
        spend=_spend(rng) if rng.random() < 0.4 else None,
        events=events,
    )


def _rules(rng: random.Random) -> ScalingRules:
    rates = tuple(
        RatePolicy(
            rng.choice(list(PolicyType)),
            rng.choice([1, 4, 10, 50, 100, 200]),
            rng.choice([15.0, 60.0, 600.0]),
        )
        for _ in range(rng.randint(1, 3))
    )
    select = rng.choice([SelectPolicy.MAX] * 5 + [SelectPolicy.MIN] * 4 + [SelectPolicy.DISABLED])
    return ScalingRules(rng.choice([0.0, 60.0, 300.0, 900.0]), select, rates, rng.choice([0.0, 0.1]))


def _spend(rng: random.Random) -> SpendPolicy:
    def maybe(low: float, high: float) -> float | None:
        return rng.uniform(low, high) if rng.random() < 0.5 else None

    return SpendPolicy(rng.choice([0.01, 0.12, 5.0]), maybe(0.1, 50), maybe(1, 500), maybe(10, 5000))


def some_climate(rng: random.Random) -> Climate:
    """From fair weather to a bad day."""
    bad = rng.choice([0.0, 0.2, 1.0])
    return Climate(
        noise=rng.choice([0.0, 0.05, 0.5]),
        jump=rng.uniform(0, 0.05),
        unknown=bad * rng.uniform(0, 0.2),
        sick=bad * rng.uniform(0, 0.2),
        stuck=bad * rng.uniform(0, 0.5),
        refused=bad * rng.uniform(0, 0.5),
        restart=bad * rng.uniform(0, 0.05),
        lost=bad * rng.uniform(0, 0.02),
        pause=bad * rng.uniform(0, 0.01),
        forecast=rng.choice([0.0, 0.5, 1.0]),
    )


def some_weather(rng: random.Random, climate: Climate, policy: Policy, level: float) -> Weather:
    """One step around the present level of load."""
    chance = rng.random
    load = level * max(0.0, rng.gauss(1.0, climate.noise)) if climate.noise else level
    sick = chance() < climate.sick
    if sick and chance() < 0.5:
        load *= 0.05
    return Weather(
        load=load,
        forecast=level * rng.uniform(0.2, 3.0) if chance() < climate.forecast else math.nan,
        load_state=rng.choice(UNKNOWN) if chance() < climate.unknown else State.VALUE,
        signals=tuple(_reading(rng, climate, signal, sick) for signal in policy.signals),
        ready_known=chance() >= climate.unknown / 4,
        pods_start=chance() >= climate.stuck,
        write_accepted=chance() >= climate.refused,
        restarted=chance() < climate.restart,
        memory_lost=chance() < climate.lost,
        pause_s=rng.choice([100.0, 400.0, 3600.0, 90_000.0]) if chance() < climate.pause else 0.0,
    )


def _reading(rng: random.Random, climate: Climate, signal: SignalPolicy, sick: bool) -> Reading:
    state = rng.choice(UNKNOWN) if rng.random() < climate.unknown else State.VALUE
    if state not in (State.VALUE, State.PARTIAL, State.STALE):
        return Reading(state)
    if signal.type is SignalType.CPU:
        return Reading(state, rng.uniform(5, 150), 0.0)
    if signal.type is SignalType.QUEUE_DEPTH:
        return Reading(state, rng.choice([0.0, rng.uniform(0, 3000)]), 0.0)
    return Reading(state, signal.target * (rng.uniform(1.01, 5.0) if sick else rng.uniform(0, 0.99)), 0.0)


def episode(seed: int, steps: int = EPISODE_STEPS) -> str:
    """Run one; empty, or what went wrong."""
    rng = random.Random(seed)
    policy, climate = some_policy(rng), some_climate(rng)
    current = rng.randint(0, min(500, policy.max_replicas + 50))
    world = World(policy, START_S + rng.uniform(0, 86_400 * 40), current=current, ready=current)
    level = rng.uniform(0, 150) * policy.load_per_replica
    try:
        for _ in range(steps):
            if rng.random() < climate.jump:
                level = rng.choice([0.0, rng.uniform(0, 150), rng.uniform(0, 2000)]) * policy.load_per_replica
            world.step(some_weather(rng, climate, policy, level))
            assert world.over_budget_by <= 1e-6, "spend stays within the daily budget"
    except Exception:  # noqa: BLE001 - whatever was raised is the finding
        return f"seed {seed}, step {world.steps}, {policy}\n{traceback.format_exc()}"
    return ""


def main() -> int:
    """Exit code 1 when a rule was broken."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--steps", type=int, default=10_000_000)
    parser.add_argument(
        "--seed", type=int, default=None, help="of the first episode; by default from the clock"
    )
    parser.add_argument("--jobs", type=int, default=multiprocessing.cpu_count())
    chosen = parser.parse_args()
    first = int(time.time()) * 1000 if chosen.seed is None else chosen.seed
    episodes = max(1, math.ceil(chosen.steps / EPISODE_STEPS))
    seeds = range(first, first + episodes)
    print(f"{episodes:,} episodes of {EPISODE_STEPS:,} steps, seeds {seeds[0]} to {seeds[-1]}", flush=True)
    started = time.perf_counter()
    with multiprocessing.get_context("spawn").Pool(chosen.jobs) as pool:
        for done, wrong in enumerate(pool.imap(episode, seeds, chunksize=10), 1):
            if wrong:
                print(f"BROKEN after {done * EPISODE_STEPS:,} steps\n{wrong}", flush=True)
                print(f"again: python tests/soak/run.py --seed {seeds[done - 1]} --steps 1")
                return 1
            if done % max(1, episodes // 20) == 0:
                rate = done * EPISODE_STEPS / (time.perf_counter() - started)
                print(f"{done * EPISODE_STEPS:,} steps, {rate:,.0f} a second", flush=True)
    print("every rule held at every step")
    return 0


if __name__ == "__main__":
    sys.exit(main())
