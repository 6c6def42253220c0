"""What a backtest found out, as plain data for the table, the report and the files."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from autoscaler.planning.curve import Curve
from autoscaler.planning.policy import ObjectivePolicy
from autoscaler.series import Floats, Ints, Series


class Kind(enum.StrEnum):
    """What sort of policy a run is."""

    POLICY = "policy"
    BASELINE = "baseline"
    ORACLE = "oracle"


@dataclass(frozen=True, slots=True)
class Explained:
    """One decision worth reading: where in the trace, from what to what, and its sentence."""

    index: int
    before: int
    after: int
    sentence: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GuardTotal:
    """How often one guard changed the number, and by how much in all."""

    reason: str
    times: int
    replica_hours_added: float
    replica_hours_removed: float


@dataclass(frozen=True, slots=True)
class ForecastTrack:
    """The forecast as it stood at each step, for the lead time, beside what really came.

    median, upper: [time], the 0.5 and the policy's quantile of the peak over the next
    `lead_steps`. coverage: share of scored steps whose peak stayed within `upper`.
    pinball: mean pinball loss at the policy's quantile, in units of the load.
    """

    model: str
    note: str
    quantile: float
    lead_steps: int
    median: Floats
    upper: Floats
    coverage: float
    pinball: float


@dataclass(frozen=True, slots=True)
class DialTrack:
    """What the dial of an objective did. rungs: [time], places on `planning.curve.LADDER`, after each step.
    curve: the one it was last chosen from; None where there never was a day of forecasts."""

    objective: ObjectivePolicy
    rungs: Ints
    curve: Curve | None


@dataclass(frozen=True, slots=True)
class Promise:
    """An objective, and how it was kept over the scored steps. kept: in the unit of the objective, NaN where
    nothing could be known. sentence: both, and where the dial stood."""

    dial: DialTrack
    kept: float
    sentence: str


@dataclass(frozen=True, slots=True)
class Scores:
    """Figures of one run over the scored part of one trace; formulas in `backtest.scores`.

    Shares and time shares are fractions, not per cent. `*_ratio` and `equal_cost` are NaN where
    they cannot be computed.
    """

    unserved_share: float
    minutes_short: float
    longest_shortage_s: float
    replica_hours: float
    money: float
    cost_ratio: float  # replica time asked for / replica time needed
    oracle_ratio: float  # replica time asked for / the oracle's
    changes_per_day: float
    reversals_per_day: float
    under_accuracy: float  # SPEC elasticity theta_U
    over_accuracy: float  # theta_O
    under_timeshare: float  # tau_U
    over_timeshare: float  # tau_O
    equal_cost: float  # overload at equal cost against tuned reactive


@dataclass(frozen=True, slots=True)
class Run:
    """One policy over one trace. desired, ready: [time], for every step of the trace."""

    policy: str
    kind: Kind
    note: str  # what the policy is, in words, with its settings
    desired: Ints
    ready: Ints
    scores: Scores
    decisions: tuple[Explained, ...] = ()
    guards: tuple[GuardTotal, ...] = ()
    forecast: ForecastTrack | None = None
    promise: Promise | None = None  # of a policy with an objective


@dataclass(frozen=True, slots=True)
class TraceResult:
    """All policies over one trace. Steps before `scored_from` are warm-up.

    start_up_s: as policies plan for it. start_up_samples_s: what the pods' were drawn from, if they were.
    """

    series: Series
    per_replica: float
    start_up_s: float
    price: float
    scored_from: int
    runs: tuple[Run, ...]
    verdict: str  # one sentence a manager can read
    start_up_samples_s: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Comparison:
    """The outcome of one backtest command."""

    traces: tuple[TraceResult, ...]
    verdict: str
