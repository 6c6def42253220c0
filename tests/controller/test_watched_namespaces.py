"""What is known of namespaces, by what is watched."""

from __future__ import annotations

from stub_api import StubApi

from autoscaler.controller.acting.rivals import Rivals
from autoscaler.controller.catalog import Catalog
from autoscaler.controller.observing.pods import PodIndex
from autoscaler.controller.watches import Watches


def test_nothing_is_known_to_be_gone_from_a_namespace_that_is_not_watched_or_not_listed_yet() -> None:
    rivals = Rivals()
    watches = Watches(StubApi().cluster, ["shop"], Catalog(5, rivals), PodIndex(), rivals)
    assert not watches.sees_resources("elsewhere")
    assert not watches.sees_resources("shop")
