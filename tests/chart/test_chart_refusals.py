"""A value that cannot work is refused before anything is installed, and named."""

from __future__ import annotations

import pytest
from rendering import Manifest, refusal

pytestmark = pytest.mark.cluster

_A = {"name": "a", "url": "http://a:9090"}


@pytest.mark.parametrize(
    ("values", "named"),
    [
        pytest.param({"replicas": 3}, "'replicas' not allowed", id="a misspelt value"),
        pytest.param(
            {"rbac": {"floorMode": True}}, "'floorMode' not allowed", id="a misspelt value in a section"
        ),
        pytest.param({"replicaCount": "two"}, "/replicaCount", id="replicas in words"),
        pytest.param({"replicaCount": -1}, "/replicaCount", id="fewer than no replicas"),
        pytest.param({"period": "15"}, "/period", id="a duration without a unit"),
        pytest.param(
            {"leaderElection": {"leaseDuration": 15}},
            "/leaderElection/leaseDuration",
            id="a lease in no unit",
        ),
        pytest.param({"sources": []}, "/sources", id="no source"),
        pytest.param({"sources": None}, "'sources'", id="sources taken away"),
        pytest.param({"sources": [{"name": "a"}]}, "/sources/0", id="a source without a URL"),
        pytest.param({"sources": [{"url": "a:9090"}]}, "/sources/0/url", id="a URL without a scheme"),
        pytest.param(
            {"sources": [{"url": "http://a", "token": "x"}]},
            "'token' not allowed",
            id="a token in the values",
        ),
        pytest.param(
            {"sources": [_A | {"tokenFile": "token"}]}, "/sources/0/tokenFile", id="a relative file"
        ),
        pytest.param({"sources": [_A | {"method": "PUT"}]}, "/sources/0/method", id="a method that writes"),
        pytest.param({"sources": [_A, _A]}, "sources: two have the same name", id="two sources of one name"),
        pytest.param({"watchNamespaces": "shop"}, "/watchNamespaces", id="a namespace that is no list"),
        pytest.param({"watchNamespaces": ["Shop"]}, "/watchNamespaces/0", id="a namespace that cannot exist"),
        pytest.param({"log": {"level": "verbose"}}, "/log/level", id="an unknown level"),
        pytest.param(
            {"scalableResources": [{"group": "*", "resource": "rollouts"}]},
            "/scalableResources/0/group",
            id="all groups",
        ),
        pytest.param(
            {"scalableResources": [{"group": "a.b", "resource": "*"}]},
            "/scalableResources/0/resource",
            id="all kinds",
        ),
        pytest.param({"image": {"digest": "abc"}}, "/image/digest", id="half a digest"),
        pytest.param(
            {"fullnameOverride": "a" * 48}, "/fullnameOverride", id="a name without room for suffixes"
        ),
        pytest.param({"service": {"port": 0}}, "/service/port", id="no port"),
        pytest.param({"persistence": {"enabled": True}}, "persistence.enabled", id="two pods on one volume"),
        pytest.param(
            {"leaderElection": {"enabled": False}}, "leaderElection.enabled", id="two pods that both act"
        ),
        pytest.param({"store": {"url": "mysql://a/b"}}, "store.url", id="an unknown database"),
        pytest.param({"store": {"maxBytes": "much"}}, "/store/maxBytes", id="a size in words"),
        pytest.param(
            {"store": {"retention": {"decisions": "0d"}}}, "/store/retention/decisions", id="no day"
        ),
        pytest.param({"store": {"retention": {"all": "9d"}}}, "'all' not allowed", id="rows of no kind"),
    ],
)
def test_a_value_that_cannot_work_is_refused_by_name(values: Manifest, named: str) -> None:
    assert named in refusal(values)


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"store": {"url": "postgresql+psycopg://autoscaler:hunter2@db/autoscaler"}}, "store.url"),
        ({"sources": [{"url": "http://user:hunter2@prometheus:9090"}]}, "sources"),
    ],
    ids=["store", "source"],
)
def test_a_password_in_a_url_is_refused_without_being_repeated(values: Manifest, named: str) -> None:
    said = refusal(values)
    assert named in said
    assert "hunter2" not in said
