"""What the operator asks to have forecast for one workload."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from autoscaler.forecasting.compile import compile_settings
from autoscaler.forecasting.forecaster import ForecastSettings
from autoscaler.forecasting.related.relation import Follows
from autoscaler.planning.compile import compile_policy
from autoscaler.planning.curve import Terms
from autoscaler.signals.settings import ConnectionSettings
from autoscaler.spec import PredictiveAutoscaler

NO_MODEL = "none"
"""The resource wants no forecast: it scales on signals alone."""

_BEYOND_S = 3600
_MOST_STEPS_BEYOND = 60


@dataclass(frozen=True, slots=True)
class ForecastRequest:
    """One workload's load, where it is read, and how it is to be forecast. Can be pickled.

    key: `namespace/name`. history_s: how far a fit looks back. step_s: resolution of the history and
    of the forecast. refit_s: between two fits. settings: `lead` is the lead time in steps, and the
    horizon reaches further, to be shown and to live on while the source does not answer. follows: the tier
    in front. terms: of the curve that an objective is kept by; None where there is no objective.
    """

    key: str
    source: ConnectionSettings
    query: str
    model: str
    history_s: float
    step_s: int
    refit_s: float
    settings: ForecastSettings
    follows: Follows | None = None
    terms: Terms | None = None

    @property
    def lead(self) -> int:
        """Steps ahead that decisions look at."""
        return self.settings.horizon if self.settings.lead is None else self.settings.lead

    @property
    def width(self) -> int:
        """Steps of history that a model is given."""
        return max(2, int(self.history_s // self.step_s))

    def beside(self, name: str) -> str:
        """Key of the resource of that name in the same namespace."""
        return f"{self.key.partition('/')[0]}/{name}"

    def same_load(self, other: ForecastRequest) -> bool:
        """Whether a forecast made for `other` is one of the same quantity on the same steps."""
        return (self.source, self.query, self.step_s) == (other.source, other.query, other.step_s)


def lead_steps(lead_time_s: float, step_s: int) -> int:
    """Whole steps that cover the lead time; at least one."""
    return max(1, -int(-lead_time_s // step_s))


def forecast_request(
    key: str,
    resource: PredictiveAutoscaler,
    source: ConnectionSettings,
    lead_time_s: float,
    per_replica: float = math.nan,
) -> ForecastRequest | None:
    """What `resource` wants forecast; None for a resource without a model.

    lead_time_s, per_replica: as configured or as measured; NaN where that is not known yet.
    """
    spec = resource.spec.forecast
    if spec.model == NO_MODEL:
        return None
    step_s = int(spec.step_s)
    lead = lead_steps(lead_time_s, step_s)
    beyond = min(max(1, _BEYOND_S // step_s), _MOST_STEPS_BEYOND)
    settings = compile_settings(resource, lead + beyond, lead)
    query, follows = resource.spec.load.query, Follows.of(resource.spec.load.follows)
    return ForecastRequest(
        key,
        source,
        query,
        spec.model,
        spec.history_s,
        step_s,
        spec.refit_s,
        settings,
        follows,
        _terms(resource, lead_time_s, per_replica),
    )


def _terms(resource: PredictiveAutoscaler, lead_time_s: float, per_replica: float) -> Terms | None:
    if resource.spec.objective is None:
        return None
    return replace(Terms.of(compile_policy(resource)), lead_s=lead_time_s, per_replica=per_replica)
