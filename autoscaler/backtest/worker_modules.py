"""What a process that does a backtest's work will need, loaded before there is any work."""

from contextlib import suppress

import autoscaler.backtest.runner  # noqa: F401  (imported for those who come after)

with suppress(ImportError, OSError):  # whoever needs it says what is missing
    import lightgbm  # noqa: F401  (the same)
