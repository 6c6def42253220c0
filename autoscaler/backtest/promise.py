"""What an objective promised, and how it was kept over the scored part of a run."""

from __future__ import annotations

import math

from autoscaler.backtest.result import DialTrack, Promise, Scores
from autoscaler.planning.curve import LADDER
from autoscaler.planning.policy import Goal
from autoscaler.planning.standing import amount, in_words
from autoscaler.series import Ints


def kept(dial: DialTrack, scores: Scores, days: float, scored_from: int) -> Promise:
    """Hold a run's figures against its objective. days: how long the scored part is."""
    objective = dial.objective
    match objective.goal:
        case Goal.UNSERVED:
            came = scores.unserved_share
        case Goal.SHORT_MINUTES:
            came = scores.minutes_short / days * 7.0
        case Goal.REPLICA_HOURS:
            came = scores.replica_hours / days
    verb = "kept" if came <= objective.allowed else "not kept"
    told = "nothing is known of it" if math.isnan(came) else f"{verb}, {amount(objective, came)}"
    stood = _stood(dial.rungs[scored_from:])
    return Promise(dial, came, f"{in_words(objective)}: {told} over {days:.3g} scored days{stood}")


def _stood(rungs: Ints) -> str:
    if len(rungs) == 0:
        return ""
    lowest, highest, last = (LADDER[int(rung)] for rung in (rungs.min(), rungs.max(), rungs[-1]))
    return f"; read between {lowest} and {highest}, at {last} in the end"
