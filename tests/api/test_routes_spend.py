"""Money over REST."""

from __future__ import annotations

from decimal import Decimal

from answered_shapes import shaped
from filled_store import SCENES
from starlette.testclient import TestClient
from whole_service import CHECKOUT, WholeService

from autoscaler.api.app import API
from autoscaler.api.shapes.money import FleetSpend, WorkloadSpend
from autoscaler.store.rows import StateKept


def test_the_whole_is_the_sum_of_its_parts(client: TestClient) -> None:
    told = shaped(client.get(f"{API}/spend"), FleetSpend)
    assert told["workloads"] == len(SCENES)
    workloads = client.get(f"{API}/workloads").json()["items"]
    assert Decimal(told["today"]) == sum(Decimal(one["spend"]["today"]) for one in workloads)
    for parts in (told["byNamespace"], told["byPriority"]):
        assert sum(part["workloads"] for part in parts) == told["workloads"]
        for name in ("today", "month", "perHourNow", "dailyBudget"):
            assert sum(Decimal(part[name]) for part in parts) == Decimal(told[name])
    assert [part["namespace"] for part in told["byNamespace"]] == ["batch", "media", "pay", "shop"]
    assert [part["priority"] for part in told["byPriority"]] == ["", "high", "low", "medium"]
    assert Decimal(told["forecastToday"]) > Decimal(told["today"])


def test_only_what_those_with_a_budget_spend_is_held_against_budgets(own_service: WholeService) -> None:
    (cart,) = [row for row in own_service.store.states() if row.workload == "shop/cart"]
    spend = {**cart.payload["spend"], "today": "900.00", "dailyBudget": None}
    own_service.store.write([StateKept(cart.workload, cart.at_s + 1, {**cart.payload, "spend": spend})])
    own_service.fleet.look()
    with own_service.client() as client:
        told = shaped(client.get(f"{API}/spend"), FleetSpend)
    assert told["withoutDailyBudget"] == 1
    shop, pay = ({one["namespace"]: one for one in told["byNamespace"]}[name] for name in ("shop", "pay"))
    for one in (told, shop):
        assert Decimal(one["today"]) - Decimal(one["budgetedToday"]) == 900
        assert Decimal(one["forecastToday"]) - Decimal(one["budgetedForecastToday"]) > 900
    assert (pay["budgetedToday"], pay["budgetedForecastToday"]) == (pay["today"], pay["forecastToday"])
    assert (told["monthlyBudget"], told["budgetedMonth"], told["budgetedForecastMonth"]) == (None, None, None)


def test_one_namespace_is_told_by_itself(client: TestClient, service: WholeService) -> None:
    told = shaped(client.get(f"{API}/spend", params={"namespace": "shop"}), FleetSpend)
    assert [part["namespace"] for part in told["byNamespace"]] == ["shop"]
    with service.client("anna-token") as anna:
        assert shaped(anna.get(f"{API}/spend"), FleetSpend) == told
        assert anna.get(f"{API}/spend", params={"namespace": "pay"}).status_code == 403


def test_nothing_is_known_of_no_workloads(client: TestClient) -> None:
    told = shaped(client.get(f"{API}/spend", params={"namespace": "nowhere"}), FleetSpend)
    assert (told["today"], told["workloads"], told["byNamespace"]) == (None, 0, [])


def test_a_workload_tells_its_days(client: TestClient) -> None:
    told = shaped(client.get(f"{CHECKOUT}/spend"), WorkloadSpend)
    (day,) = told["days"]
    assert day == {"day": "2026-11-27", "amount": told["today"]}
    # Six hours are left but for the twenty seconds of this test's clock.
    left = Decimal(told["perHourNow"]) * Decimal(6 * 3600 + 20) / 3600
    assert abs(Decimal(told["forecastToday"]) - Decimal(told["today"]) - left) < Decimal("0.02")
    before = client.get(f"{CHECKOUT}/spend", params={"end": "2026-11-26T00:00:00Z"})
    assert shaped(before, WorkloadSpend)["days"] == []
