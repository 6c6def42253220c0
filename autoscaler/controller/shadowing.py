"""The shadow of one workload from one evaluation to the next: tried, scored, and acted by if that is wanted.

Whatever goes wrong with it is its own: the policy of the spec is decided by as if there were none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import structlog

from autoscaler.controller.observing.shadow import ShadowPlan
from autoscaler.planning.contest.contest import Contest, Play, begun, continued
from autoscaler.planning.contest.judging import Verdict, judged
from autoscaler.planning.contest.standing import Stage, Standing, moved_on
from autoscaler.planning.contest.tally import Span
from autoscaler.planning.memory import Spent
from autoscaler.planning.observation import Observation, Outlook
from autoscaler.planning.policy import Policy

_LOG = structlog.get_logger(__name__)

Foresee = Callable[[Policy], Outlook]
"""What the newest forecast says for a decision by a policy."""


@dataclass(frozen=True, slots=True)
class ShadowMemory:
    """What has to survive a restart. identity, comparison: of the shadow that it is about, as in its plan.

    contest: None where only its spans are known, as from a status.
    """

    identity: str
    comparison: str
    standing: Standing
    contest: Contest | None = None
    spans: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class ShadowState:
    """After one evaluation. verdict: None where nothing was compared yet. failure: why the shadow was not
    decided by, empty where it was."""

    plan: ShadowPlan
    memory: ShadowMemory
    verdict: Verdict | None = None
    failure: str = ""

    @property
    def acts(self) -> bool:
        """Whether the shadow's policy is the one in force."""
        return self.memory.standing.stage is Stage.PROMOTED and self.plan.automatic and not self.failure


def rehearsed(
    plan: ShadowPlan,
    memory: ShadowMemory | None,
    own: Policy,
    shadow: Policy | None,
    observation: Observation,
    foresee: Foresee,
    spent: Spent,
) -> ShadowState:
    """Try the shadow on one more observation.

    own, shadow: the two policies with what was measured; None where there is no valid one.
    """
    known = _of_this_shadow(plan, memory, observation.now_s)
    if shadow is None:
        return ShadowState(plan, known, failure=plan.problem)
    try:
        return _compared(plan, known, own, shadow, observation, foresee, spent)
    except Exception as error:  # noqa: BLE001 - a policy that does not act must never keep one from acting
        _LOG.exception("shadow failed", shadow=plan.name)
        failure = f"{type(error).__name__}; see the operator's log"
        return ShadowState(plan, replace(known, contest=None, spans=_spans(known)), failure=failure)


def _compared(
    plan: ShadowPlan,
    known: ShadowMemory,
    own: Policy,
    shadow: Policy,
    observation: Observation,
    foresee: Foresee,
    spent: Spent,
) -> ShadowState:
    contest = known.contest or begun(observation, own.lead_time_s, spent, known.spans)
    contest = continued(
        contest,
        observation,
        Play(own, foresee(own)),
        Play(shadow, foresee(shadow)),
        plan.terms.window_s,
        plan.forecast_wanted,
    )
    verdict = judged(contest.spans, plan.terms)
    standing = moved_on(known.standing, verdict, contest.spans, plan.terms, plan.automatic, observation.now_s)
    memory = ShadowMemory(known.identity, known.comparison, standing, contest)
    return ShadowState(plan, memory, verdict)


def _of_this_shadow(plan: ShadowPlan, memory: ShadowMemory | None, now_s: float) -> ShadowMemory:
    """What is remembered, as far as it is about this shadow and these two policies."""
    if memory is None or memory.identity != plan.identity:
        return ShadowMemory(plan.identity, plan.comparison, Standing(Stage.COMPARED, now_s))
    if memory.comparison != plan.comparison:
        return ShadowMemory(plan.identity, plan.comparison, memory.standing)
    return memory


def _spans(memory: ShadowMemory) -> tuple[Span, ...]:
    return memory.contest.spans if memory.contest is not None else memory.spans
