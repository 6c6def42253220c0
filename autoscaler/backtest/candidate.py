"""A policy of ours as it enters a backtest: what to decide by and what to forecast with."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from autoscaler.backtest.simulation import World
from autoscaler.forecasting.compile import compile_settings
from autoscaler.forecasting.forecaster import DAY_S, WEEK_S, ForecastSettings
from autoscaler.forecasting.related.relation import Follows
from autoscaler.planning.compile import compile_policy
from autoscaler.planning.policy import Policy
from autoscaler.series import Series
from autoscaler.spec import PredictiveAutoscaler

NO_MODEL = "none"
"""Not a model of the registry: scale on signals alone."""

_HISTORY_S = 28.0 * DAY_S
_REFIT_S = 6 * 3600.0
MOST_REPLICAS = 100_000
"""A trace that needs more at its peak was given the wrong capacity per replica."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """name: as shown. model: of the forecaster registry. history_s: how far a fit looks back. follows: the
    tier in front, whose load is the trace's column of that name."""

    name: str
    policy: Policy
    model: str
    settings: ForecastSettings
    history_s: float
    refit_s: float
    follows: Follows | None = None

    def at_quantile(self, quantile: float) -> Candidate:
        """The same policy at another stated risk, in place of an objective, named `NAME@qQUANTILE`."""
        other = replace(self, policy=replace(self.policy, quantile=quantile, objective=None))
        return other.named(f"{self.name}@q{quantile}")

    def named(self, name: str) -> Candidate:
        """The same policy under another name."""
        return replace(self, name=name, policy=replace(self.policy, name=name))


def lead_steps(lead_time_s: float, metric_lag_s: float, step_s: int) -> int:
    """Steps ahead that must be covered when a pod is asked for now on data that is late."""
    return max(1, -int(-lead_time_s // step_s) + -int(-metric_lag_s // step_s))


def default_candidate(
    series: Series, world: World, model: str = "auto", time_zone: str = "UTC", quantile: float = 0.95
) -> Candidate:
    """A sensible policy for a trace nobody wrote one for: the forecast and the present load, p95,
    lead time as simulated, HPA's default behavior, no limit that the trace could reach."""
    policy = Policy(
        name="predictive",
        min_replicas=1,
        max_replicas=MOST_REPLICAS,
        load_per_replica=world.per_replica,
        quantile=quantile,
        lead_time_s=world.start_up_s,
        step_s=float(series.step_s),
    )
    settings = ForecastSettings(
        horizon=lead_steps(world.start_up_s, world.metric_lag_s, series.step_s),
        seasons_s=tuple(season for season in (DAY_S, WEEK_S) if season >= 2 * series.step_s),
        time_zone=time_zone,
        quantile=quantile,
    )
    return Candidate(policy.name, policy, model, settings, _HISTORY_S, _REFIT_S)


def candidate_of(
    resource: PredictiveAutoscaler, series: Series, world: World, capacity: float | None
) -> Candidate:
    """The policy of a manifest, as it would run on this trace.

    capacity: replaces the manifest's `load.perReplica` where the command line states one. What the
    operator would find out from pods is taken as found out: `perReplica: auto` is the simulated pods'
    own capacity, and a lead time left to its default is the simulated start-up time.
    Decisions are made once per step of the trace.
    """
    spec = resource.spec.forecast
    compiled = compile_policy(resource)
    stated = "lead_time_s" in spec.model_fields_set
    lead_time_s = compiled.lead_time_s if stated else world.start_up_s
    policy = replace(
        compiled,
        load_per_replica=_first_known(capacity, compiled.load_per_replica, world.per_replica),
        lead_time_s=lead_time_s,
        step_s=float(series.step_s),
    )
    settings = compile_settings(resource, lead_steps(lead_time_s, world.metric_lag_s, series.step_s))
    follows = Follows.of(resource.spec.load.follows)
    return Candidate(policy.name, policy, spec.model, settings, spec.history_s, spec.refit_s, follows)


def columns_read(resource: PredictiveAutoscaler) -> tuple[str, ...]:
    """Names of further columns of a trace that this policy reads: its signals, and the tier in front."""
    spec = resource.spec
    front = () if spec.load.follows is None else (spec.load.follows.name,)
    return (*(signal.name for signal in spec.signals), *front)


def _first_known(stated: float | None, manifest: float, simulated: float) -> float:
    if stated is not None:
        return stated
    return simulated if math.isnan(manifest) else manifest
