"""One player, in a process of its own.

play the past -> say so -> then whatever is asked for, a step or an annotation, until the pipe closes
"""

from __future__ import annotations

from multiprocessing.connection import Connection

from autoscaler.demo.clock import STEP_S
from autoscaler.demo.fleet import read_fleet
from autoscaler.demo.play import Play
from autoscaler.demo.players import Annotate, Played, Script, Step
from autoscaler.demo.records import Records
from autoscaler.store.store import Store

_PATIENCE_S = 60.0
"""Players take turns in writing, for fractions of a second each, except on a busy machine."""
_SHOWN_S = 2 * 3600
"""Before the opening: conditions can have lasted for so long."""


def perform(connection: Connection, script: Script, part: int, parts: int) -> None:
    """Play every `parts`-th workload of the fleet, from the one numbered `part` on."""
    members = read_fleet(script.opens_s)[part::parts]
    play = Play(members, script.opens_s - script.past_s)
    store = Store.open(script.url, _PATIENCE_S)
    try:
        store.migrate()
        play.until(script.opens_s - _SHOWN_S, Records(store, play.fan, lasting_only=True))
        records = Records(store, play.fan)
        play.until(script.opens_s, records)
        connection.send(Played(play.keys))
        _follow(connection, play, records)
    except (EOFError, BrokenPipeError):
        return  # whoever has started this has gone
    finally:
        store.close()


def _follow(connection: Connection, play: Play, records: Records) -> None:
    while True:
        match connection.recv():
            case Step():
                play.until(play.next_s + STEP_S, records)
                connection.send(Played(play.keys))
            case Annotate(key, override):
                play.annotate(key, override)
