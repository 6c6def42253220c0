"""For every recorded trace a shared model of the peak that has not seen it.

Traces are left out a fold at a time, near twins together. Only those whose licence lets a model that ships
learn from them are trained on.
"""

from __future__ import annotations

import pickle
from pathlib import Path

from autoscaler.forecasting.peaks.training import PARTS, SEED, Lessons, joined, lessons, train
from autoscaler.signals.recorded import read_recorded

NOT_TRAINED_ON = ("alibaba2018_cluster_cpu_1min", "twitter_prod_metric_1min", "imageboard_small_site_1min")
"""No licence, or one that what is learned from them could not be shipped under."""
FOLDS = (
    ("worldcup98_web_1min", "ms_mongo_app_04_1min", "tencent_crane_06_1min", "facebook_hadoop_2009a_1min"),
    ("nasa_http_1995_1min", "ms_mongo_app_02_1min", "tencent_crane_01_1min", "tencent_crane_10_1min"),
    ("tencent_crane_09_1min", "tencent_crane_13_1min", "ms_ingress_02_1min", "facebook_hadoop_2009b_1min"),
    ("ms_mongo_machine_01_1min", "tencent_crane_02_1min", "tencent_crane_07_1min", *NOT_TRAINED_ON[:1]),
    ("tencent_crane_04_1min", "facebook_hadoop_2010_1min", *NOT_TRAINED_ON[1:]),
)
Fold = tuple[str, ...]


def taught(fold: Fold) -> list[str]:
    """The traces that a model for this fold learns from."""
    others = (name for other in FOLDS if other != fold for name in other)
    return [name for name in others if name not in NOT_TRAINED_ON]


def path_of(traces: Path, name: str) -> Path:
    """The file of a trace."""
    return traces / f"{name}.csv.gz"


def kept_lessons(trace: Path, lead_s: int, work: Path) -> Lessons:
    """What a trace teaches about a lead, computed once and kept in `work`."""
    kept = work / f"{trace.name.partition('.')[0]}.{lead_s}.lessons"
    if not kept.exists():
        unfinished = kept.with_suffix(".part")
        unfinished.write_bytes(pickle.dumps(lessons(read_recorded(trace), (lead_s,))))
        unfinished.replace(kept)
    known: Lessons = pickle.loads(kept.read_bytes())
    return known


def part_without(fold: Fold, part: str, traces: Path, work: Path, seed: int = SEED) -> dict[str, bytes]:
    """The files of one part of the model for this fold."""
    known = [
        kept_lessons(path_of(traces, name), lead_s, work) for name in taught(fold) for lead_s in PARTS[part]
    ]
    return train(joined(known), {}, seed)


def model_without(fold: Fold, traces: Path, work: Path) -> Path:
    """The folder of the model for this fold, trained once and kept in `work`."""
    folder = work / f"without-{fold[0]}"
    for part in PARTS:
        # Whoever interrupts it now leaves no half a part behind.
        if (folder / part).exists():
            continue
        unfinished = folder / f"{part}.part"
        unfinished.mkdir(parents=True, exist_ok=True)
        for name, content in part_without(fold, part, traces, work).items():
            (unfinished / name).write_bytes(content)
        unfinished.rename(folder / part)
    return folder
