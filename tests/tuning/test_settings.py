"""What is varied: fields of the spec, their values, and the policies that come of them."""

from __future__ import annotations

from typing import Any

import pytest

from autoscaler.backtest.tuning.settings import Setting, default_settings, parse_setting, variants
from autoscaler.signals.errors import InputError
from autoscaler.spec import API_VERSION, KIND
from autoscaler.spec.variation import WrittenPolicy


def _policy() -> WrittenPolicy:
    return WrittenPolicy.read(
        {
            "apiVersion": API_VERSION,
            "kind": KIND,
            "metadata": {"name": "shop"},
            "spec": {
                "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "shop"},
                "minReplicas": 2,
                "maxReplicas": 50,
                "load": {"query": "load", "perReplica": "10"},
                "forecast": {"quantile": "0.9"},
            },
        }
    )


@pytest.mark.parametrize(
    ("text", "path", "values"),
    [
        ("forecast.quantile=0.8,0.95", ("forecast", "quantile"), ("0.8", "0.95")),
        ("spec.forecast.model=ridge,none", ("forecast", "model"), ("ridge", "none")),
        ("minReplicas=1,2,2", ("minReplicas",), (1, 2)),
        ("cooldown.scaleDown=5m", ("cooldown", "scaleDown"), ("5m",)),
    ],
)
def test_a_setting_is_a_field_and_its_values(
    text: str, path: tuple[str, ...], values: tuple[Any, ...]
) -> None:
    assert parse_setting(text) == Setting(path, values)


@pytest.mark.parametrize("text", ["quantile", "=1", "a..b=1", "a=[1", "a={b: 1}", "spec=1"])
def test_what_is_no_setting_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(InputError, match=r"0\.8,0\.95"):
        parse_setting(text)


def test_every_combination_is_tried_after_the_policy_as_it_is() -> None:
    tried = variants(
        _policy(), [Setting(("minReplicas",), (1, 3)), Setting(("forecast", "quantile"), ("0.8",))]
    )
    assert [variant.chosen for variant in tried] == [(), (1, "0.8"), (3, "0.8")]
    assert tried[0].policy == _policy()
    assert tried[2].policy.resource.spec.min_replicas == 3
    assert tried[2].policy.resource.spec.forecast.quantile == 0.8
    assert tried[2].policy.manifest["spec"]["load"] == {"query": "load", "perReplica": "10"}


def test_a_quantile_to_try_takes_the_place_of_an_objective() -> None:
    written = _policy().patched({"objective": {"unserved": "1%"}, "forecast": {"quantile": None}})
    as_is, tried = variants(written, [Setting(("forecast", "quantile"), ("0.8",))])
    assert as_is.policy.resource.spec.objective is not None
    assert (tried.policy.resource.spec.objective, tried.policy.resource.spec.forecast.risk) == (None, 0.8)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        (Setting(("minReplicas",), (99,)), "minReplicas=99: .*must not be greater than maxReplicas"),
        (Setting(("forecast", "quantil"), ("0.9",)), 'did you mean "quantile"'),
    ],
)
def test_a_value_that_the_cluster_would_refuse_is_named(setting: Setting, message: str) -> None:
    with pytest.raises(InputError, match=message):
        variants(_policy(), [setting])


def test_more_policies_than_can_be_looked_at_are_refused() -> None:
    many = Setting(("minReplicas",), tuple(range(200)))
    with pytest.raises(InputError, match="40,000 policies are too many"):
        variants(_policy(), [many, Setting(("maxReplicas",), tuple(range(200)))])


def test_quantile_and_scale_down_window_are_varied_where_nothing_is_asked_for() -> None:
    quantiles, windows = default_settings(3)
    assert quantiles.values == ("0.5", "0.934", "0.995")
    assert windows.values == (60, 300, 900)
