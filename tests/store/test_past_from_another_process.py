"""What-if reads a workload's past by the URL that the service's own store goes by, from either database."""

from __future__ import annotations

from databases import Database
from rowmaking import START_S, WORKLOAD, observed

from autoscaler.api.whatif.question import Past


def test_the_url_of_an_open_store_opens_it_again_elsewhere(database: Database) -> None:
    store = database.migrated()
    store.write([observed(START_S + 60.0 * minute, load=float(minute)) for minute in range(200)])
    url = store.engine.url.render_as_string(hide_password=False)
    store.close()
    history = Past(url, WORKLOAD, START_S + 86_400.0, 1).read()
    assert len(history.series) == 199  # the first one is between two minutes
    assert history.series.values[:2].tolist() == [0.0, 1.0]
    assert set(history.asked) == {5}
    assert set(history.ready) == {3.0}
