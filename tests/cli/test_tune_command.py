"""`autoscaler tune`: what it prints, writes and refuses."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from command import MANIFEST, Autoscaler, csv_of

from autoscaler.spec import read_manifests

VARIED = "--vary forecast.quantile=0.5,0.9 --vary forecast.model=none,trend --vary minReplicas=2"


@pytest.fixture
def there(tmp_path: Path) -> Path:
    phase = np.arange(3 * 288) * 2 * np.pi / 288
    load = np.round(200 + 100 * np.sin(phase) + 40 * np.sin(23 * phase), 1)
    for name in ("good", "other"):
        (tmp_path / f"{name}.csv").write_text(csv_of(load.tolist()))
    (tmp_path / "shop.yaml").write_text(MANIFEST.format(low=1, high=60, per_replica=10))
    two = MANIFEST.format(low=1, high=60, per_replica=10)
    (tmp_path / "two.yaml").write_text(two + "---\n" + two)
    (tmp_path / "empty").mkdir()
    return tmp_path


def test_the_front_is_shown_and_written_as_manifests_that_check(there: Path, autoscaler: Autoscaler) -> None:
    ended = autoscaler(
        f"tune good.csv --policy shop.yaml {VARIED} --out found --json all.json --png front.png"
    )
    assert (ended.code, ended.err) == (0, "")
    assert "5 policies tried" in ended.out
    tried = json.loads((there / "all.json").read_text())["policies"]
    assert [policy["present"] for policy in tried].count(True) == 1
    assert tried == sorted(tried, key=lambda policy: (policy["costRatio"], policy["unservedShare"]))
    front = [policy for policy in tried if policy["onFront"]]
    files = sorted((there / "found").iterdir())
    assert [file.name for file in files] == [f"front-{number:02}.yaml" for number in range(1, len(front) + 1)]
    for policy, file in zip(front, files, strict=True):
        found = read_manifests(file)
        assert not found.problems
        spec = found.resources[0].resource.spec
        quantile = policy["settings"].get("forecast.quantile", "0.95")
        assert spec.forecast.risk == float(quantile)
    assert (there / "front.png").read_bytes().startswith(b"\x89PNG")


def test_the_one_within_an_objective_is_written_beside_the_front(there: Path, autoscaler: Autoscaler) -> None:
    ended = autoscaler(f"tune good.csv {VARIED} --objective unserved=99% --out found")
    assert ended.code == 0
    assert "Within the objective, take" in ended.out
    assert not read_manifests(there / "found" / "chosen.yaml").problems


def test_a_load_that_no_default_policy_fits_is_refused(there: Path, autoscaler: Autoscaler) -> None:
    (there / "tiny.csv").write_text(csv_of([1e-9 * (1 + index % 7) for index in range(3 * 288)]))
    ended = autoscaler("tune tiny.csv --vary minReplicas=1,2")
    assert (ended.code, ended.out) == (2, "")
    assert "no default policy fits this load" in ended.err
    assert "give --policy" in ended.err


def test_a_policy_that_meets_its_objective_best_is_said_to(there: Path, autoscaler: Autoscaler) -> None:
    ended = autoscaler("tune good.csv --vary minReplicas=50,60 --objective unserved=99%")
    assert ended.code == 0
    assert "The present policy is within the objective" in ended.out


def test_an_objective_out_of_reach_is_an_answer_too(there: Path, autoscaler: Autoscaler) -> None:
    ended = autoscaler(f"tune good.csv {VARIED} --objective cost=0.1")
    assert ended.code == 1
    assert "Nothing tried stays within cost 0.1; the nearest is" in " ".join(ended.out.split())


def test_two_processes_find_the_same_as_one(there: Path, autoscaler: Autoscaler) -> None:
    for jobs in (1, 2):
        ended = autoscaler(f"tune good.csv other.csv {VARIED} --jobs {jobs} --json {jobs}.json --quiet")
        assert (ended.code, ended.out, ended.err) == (0, "", "")
    assert (there / "1.json").read_bytes() == (there / "2.json").read_bytes()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("good.csv --vary quantile", "give a field of spec and its values"),
        ("good.csv --vary forecast.quantil=0.5", 'did you mean "quantile"'),
        ("good.csv --objective speed=3", "give one of unserved, minutes-short, cost, money"),
        ("good.csv --objective cost=cheap", "'cheap' is no number"),
        ("good.csv --objective cost=-1", "must be a number of at least zero"),
        ("good.csv --objective unserved=5", "a share of the load, below one; 5% is per cent"),
        ("good.csv --policy none.yaml", "no such file"),
        ("good.csv --policy two.yaml", "holds 2 policies"),
        ("good.csv --out shop.yaml", "is a file"),
        ("good.csv --out .", "holds files"),
        ("good.csv --out empty --json empty/front-01.yaml", "--out writes policies by such names"),
        ("good.csv --out empty --png empty/../empty/chosen.yaml", "--out writes policies by such names"),
        ("good.csv other.csv --out found", "needs --policy"),
        ("good.csv --dask nowhere", "--dask nowhere: no scheduler answers there"),
        ("", "no load to work on"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    there: Path, autoscaler: Autoscaler, line: str, message: str
) -> None:
    ended = autoscaler(f"tune {line}")
    assert (ended.code, ended.out) == (2, "")
    assert message in ended.err
    assert ended.err.count("\n") == 1
    assert not (there / "found").exists()
