"""Reading `--baselines`: what is understood, and what is said about the rest."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pytest

from autoscaler.backtest.result import Kind
from autoscaler.backtest.rivals import RivalContext, build, parse_baselines
from autoscaler.backtest.rivals.behavior_form import CALM, read_behavior
from autoscaler.backtest.rivals.cron import CronSettings
from autoscaler.backtest.rivals.hpa import HpaSettings
from autoscaler.backtest.rivals.keda import KedaSettings
from autoscaler.backtest.rivals.static import StaticSettings
from autoscaler.planning.policy import DEFAULT_SCALE_UP, PolicyType, RatePolicy, ScalingRules, SelectPolicy
from autoscaler.series import Series
from autoscaler.signals.errors import InputError

ALL = "hpa,hpa-tuned,keda,phpa,cron,static,oracle"
DAY = Series("day", 1_700_000_000 // 86_400 * 86_400, 60, 50.0 + 40.0 * np.sin(np.arange(2880) / 229.0))


@pytest.mark.parametrize(
    ("text", "names"),
    [
        pytest.param(ALL, ALL.split(","), id="all there are"),
        pytest.param("none", [], id="none"),
        pytest.param("hpa:target=70", ["hpa:target=70"], id="a setting"),
        pytest.param("hpa:target=70,min=2,keda", ["hpa:target=70:min=2", "keda"], id="settings after commas"),
        pytest.param("hpa:target=70:min=2,keda", ["hpa:target=70:min=2", "keda"], id="settings after colons"),
        pytest.param("hpa, hpa:target=70", ["hpa", "hpa:target=70"], id="one rival twice, set differently"),
        pytest.param("cron:8-18=20,default=5", ["cron:8-18=20:default=5"], id="a schedule"),
    ],
)
def test_a_list_of_rivals_with_settings_is_understood(text: str, names: list[str]) -> None:
    assert [choice.name for choice in parse_baselines(text)] == names


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        pytest.param("hpa", HpaSettings(80, 1, 10_000, None), id="HPA: the documented 80 %"),
        pytest.param("hpa:target=70,behavior=calm", HpaSettings(target=70, behavior=CALM), id="HPA calm"),
        pytest.param("keda", KedaSettings(80.0, 0, 10_000, 30.0, 300.0, 0.0), id="KEDA"),
        pytest.param("static:replicas=20", StaticSettings(20), id="static"),
        pytest.param("cron:percentile=90", CronSettings(90.0), id="cron learned"),
    ],
)
def test_settings_override_defaults(text: str, settings: object) -> None:
    assert parse_baselines(text)[0].settings == settings


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("hpaa", "there is no baseline 'hpaa'; did you mean 'hpa'?", id="misspelt rival"),
        pytest.param("vpa-x-y", "there is no baseline 'vpa-x-y'; choose from hpa, ", id="unknown rival"),
        pytest.param(
            "hpa:tarrget=7", "baseline hpa has no setting 'tarrget'; did you mean 'target'?", id="setting"
        ),
        pytest.param(
            "oracle:x=1", "baseline oracle has no setting 'x'; it has none", id="no settings at all"
        ),
        pytest.param("hpa-tuned:target=70", "baseline hpa-tuned has no setting 'target'", id="what is tuned"),
        pytest.param(
            "hpa:target=x", "baseline hpa, target=x: must be a whole number from 1 to 1000", id="text"
        ),
        pytest.param("hpa:target=0", "must be a whole number from 1", id="zero target"),
        pytest.param("hpa:min=9,max=3", "baseline hpa: min=9 is more than max=3", id="min above max"),
        pytest.param("keda:polling=nan", "must be a number from 1", id="not a number"),
        pytest.param("keda:target=0", "must be a number above 0", id="threshold of zero"),
        pytest.param("static:20", "baseline static: '20' is not a setting; write name=value", id="no name"),
        pytest.param("static:replicas=", "is not a setting", id="no value"),
        pytest.param("target=70,hpa", "begins with the setting 'target=70'; name a rival first", id="order"),
        pytest.param("", "has an empty entry", id="nothing"),
        pytest.param("hpa,,keda", "has an empty entry", id="empty entry"),
        pytest.param("none,hpa", "none stands alone", id="none and more"),
        pytest.param("hpa,hpa", "baseline hpa is listed twice", id="the same twice"),
        pytest.param("hpa:min=1,min=2", "baseline hpa has min twice", id="a setting twice"),
        pytest.param("cron:8-18=x", "baseline cron, 8-18=x: must be a whole number", id="cron count"),
        pytest.param("cron:8-25=3", "a window must be FIRST-LAST in hours", id="cron hour"),
        pytest.param(
            "cron:percentil=9", "baseline cron has no setting 'percentil'; did you mean", id="cron name"
        ),
        pytest.param("cron:percentile=9,8-18=3", "either percentile or windows", id="cron both"),
        pytest.param("phpa:season=600,sample=600", "shorter than two samples", id="no season"),
        pytest.param(
            "hpa:behavior=/no/such.json", "cannot be read (No such file or directory)", id="no file"
        ),
    ],
)
def test_what_cannot_be_used_is_named_in_one_line(text: str, message: str) -> None:
    with pytest.raises(InputError) as refused:
        parse_baselines(text)
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


def test_choices_travel_to_other_processes() -> None:
    choices = parse_baselines(ALL.replace("hpa,", "hpa:behavior=calm,", 1))
    assert pickle.loads(pickle.dumps(choices)) == choices


def test_every_rival_is_built_with_its_name_and_says_what_it_is() -> None:
    context = RivalContext(DAY, 1440, 10.0, 300.0, "Europe/Berlin")
    for choice in parse_baselines(ALL):
        if choice.tuned:
            with pytest.raises(TypeError, match="tune_hpa"):
                build(choice, context)
            continue
        rival = build(choice, context)
        assert rival.name == choice.name
        assert rival.note
        assert rival.kind is (Kind.ORACLE if choice.rival == "oracle" else Kind.BASELINE)


@pytest.mark.parametrize("text", ["static", "cron"])
def test_a_rival_with_nothing_to_learn_from_asks_for_its_numbers(text: str) -> None:
    with pytest.raises(InputError, match="longer warm-up"):
        build(parse_baselines(text)[0], RivalContext(DAY, 0, 10.0, 300.0))


def written(folder: Path, content: object) -> str:
    path = folder / "behavior.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return str(path)


def test_a_behavior_file_is_read_with_the_defaults_of_the_api_server(tmp_path: Path) -> None:
    down = {"policies": [{"type": "Percent", "value": 10, "periodSeconds": 60}], "selectPolicy": "Min"}
    behavior = read_behavior(written(tmp_path, {"scaleDown": down}))
    assert behavior is not None
    assert behavior.up == DEFAULT_SCALE_UP
    assert behavior.down == ScalingRules(300.0, SelectPolicy.MIN, (RatePolicy(PolicyType.PERCENT, 10, 60.0),))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param("{", "is not JSON", id="not JSON"),
        pytest.param([], "behavior", id="not an object"),
        pytest.param({"scaleup": {}}, "scaleup: Extra inputs", id="misspelt"),
        pytest.param(
            {"scaleUp": {"stabilizationWindowSeconds": 4000}}, "less than or equal to 3600", id="window"
        ),
        pytest.param({"scaleUp": {"policies": []}}, "scaleUp.policies", id="no policy"),
        pytest.param({"scaleUp": {"selectPolicy": "Most"}}, "'Max', 'Min' or 'Disabled'", id="select"),
    ],
)
def test_a_behavior_the_api_server_would_refuse_is_refused(
    content: object, message: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError) as refused:
        parse_baselines(f"hpa:behavior={written(tmp_path, content)}")
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)
