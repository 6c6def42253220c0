"""One source's feed without its threads, for tests."""

from __future__ import annotations

from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

from known_source import END_S, SOURCE

from autoscaler.controller.forecasts.fan import Fan
from autoscaler.controller.forecasts.feed import Feed
from autoscaler.controller.forecasts.messages import Told
from autoscaler.controller.forecasts.model_in_use import ModelInUse
from autoscaler.controller.forecasts.reader import OpenReader
from autoscaler.controller.forecasts.request import ForecastRequest
from autoscaler.signals.settings import ConnectionSettings


class AtOnce(Executor):
    """Does what it is given before it answers."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


class Running:
    """A feed with a clock that tests turn by hand, and everything it told."""

    def __init__(
        self,
        open_reader: OpenReader,
        *requests: ForecastRequest,
        source: ConnectionSettings = SOURCE,
        folder: Path | None = None,
        model: ModelInUse | None = None,
    ) -> None:
        self.now_s = END_S + 4.0
        self.fans: dict[str, list[Fan]] = {}
        self.failures: dict[str, list[str]] = {}
        self.model = model or ModelInUse(None)
        self.feed = Feed(source, open_reader, folder, AtOnce(), AtOnce(), self._take, self.model)
        for revision, wanted in enumerate(requests):
            self.feed.want(wanted.key, revision, wanted)

    def _take(self, told: Told) -> None:
        for key, (_, fan) in told.fans.items():
            self.fans.setdefault(key, []).append(fan)
        for key, (_, reason) in told.failures.items():
            self.failures.setdefault(key, []).append(reason)

    def run(self, seconds: float) -> None:
        """As many turns as the feed wants within so long."""
        ends_s = self.now_s + seconds
        while self.now_s < ends_s:
            self.now_s = min(ends_s, self.now_s + max(0.05, self.feed.turn(self.now_s)))

    def fan(self, key: str = "shop/web") -> Fan:
        return self.fans[key][-1]
