"""When a workload is fitted anew, and how fast a source is asked for histories."""

from __future__ import annotations

import zlib

_FIRST_FITS_S = (0, 600, 1800, 3600, 3 * 3600, 6 * 3600, 12 * 3600, 24 * 3600)
"""Ages of a history at which a young workload has learned enough to be fitted again."""
_FEWEST_STEPS_BETWEEN_FITS = 96
_JITTER = 0.2
_HISTORIES_PER_S, _HISTORIES_AT_ONCE = 3.0, 10.0
_FIRST_RETRY_S, _LONGEST_RETRY_S = 15.0, 300.0


def regular_fit_s(refit_s: float, step_s: int) -> float:
    """Seconds between two fits of a workload that is no longer young."""
    return max(refit_s, float(_FEWEST_STEPS_BETWEEN_FITS * step_s))


def seconds_to_next_fit(key: str, age_s: float, refit_s: float, step_s: int) -> float:
    """Seconds from a fit to the next one: sooner while the history, `age_s` long, is young.

    Regular ones come up to a fifth early, by the key, so that they do not all fall together.
    """
    early = next((at_s - age_s for at_s in _FIRST_FITS_S if age_s < at_s < 4 * refit_s), None)
    jitter = _JITTER * (zlib.crc32(key.encode()) / 2**32)
    regular = (1.0 - jitter) * regular_fit_s(refit_s, step_s)
    return regular if early is None else min(early, regular)


def seconds_to_retry(failures: int) -> float:
    """Seconds to wait after so many failures in a row."""
    return float(min(_LONGEST_RETRY_S, _FIRST_RETRY_S * 2.0 ** min(failures - 1, 10)))


class Pace:
    """How many requests may be sent: `per_s` on average, and at most `burst` at once.

    A read that takes more requests than there are goes ahead once there is any, and is paid for after.
    """

    def __init__(self, per_s: float, burst: float) -> None:
        self._per_s = per_s
        self._burst = burst
        self._left = burst
        self._at_s: float | None = None

    @staticmethod
    def of_histories() -> Pace:
        """How fast one source is asked for histories."""
        return Pace(_HISTORIES_PER_S, _HISTORIES_AT_ONCE)

    def wait_s(self, now_s: float) -> float:
        """Seconds until the next request may be sent; 0 for now."""
        if self._at_s is not None:
            self._left = min(self._burst, self._left + self._per_s * max(0.0, now_s - self._at_s))
        self._at_s = now_s
        return 0.0 if self._left >= 1.0 else (1.0 - self._left) / self._per_s

    def spend(self, requests: int) -> None:
        """Take note that so many were sent."""
        self._left -= requests
