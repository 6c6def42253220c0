"""What a process that runs for long tells Python's garbage collector."""

from __future__ import annotations

import gc


def spare_what_is_loaded() -> None:
    """From now on look for garbage among what is made from now on only; to be called once all parts are made.

    Modules and what they hold stay for as long as the process does. There are hundreds of thousands of such
    objects, and while the collector walks through them every thread stands still for a tenth of a second.
    """
    gc.collect()
    gc.freeze()
