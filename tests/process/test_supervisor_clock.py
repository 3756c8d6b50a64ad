"""The wall clock is set by a month, forwards and back, under a running installation.

The clock is set for Python only: a ``sitecustomize`` adds what a file says to the wall clock of
every process and leaves the monotonic clock alone.
"""

from __future__ import annotations

import json

from vigilar_core.testing import Installation, eventually

SITECUSTOMIZE = """
import os, time

def offset_ns():
    try:
        with open(os.environ["CLOCK_OFFSET"]) as file:
            return int(file.read() or 0) * 10**9
    except (FileNotFoundError, ValueError):
        return 0

def shifted(real_ns=time.time_ns):
    return real_ns() + offset_ns()

if "CLOCK_OFFSET" in os.environ:
    time.time_ns = shifted
    time.time = lambda: shifted() / 1e9
"""
STEADY = """
    @hookimpl
    def poll(context):
        pass
"""
LISTENER = """
    import os

    @hookimpl
    def on_event(event):
        with open(os.environ["HEARD"], "a") as file:
            file.write(f"{event.sequence} {event.kind}\\n")
"""
MONTH_S = 30 * 86400


def test_a_clock_that_jumps_by_a_month_restarts_nobody_and_is_told(workshop) -> None:
    workshop.plugin("steady", STEADY)
    workshop.plugin("listener", LISTENER)
    (workshop.site / "sitecustomize.py").write_text(SITECUSTOMIZE)
    clock, heard = workshop.folder / "clock", workshop.folder / "heard"
    house: Installation = workshop.installation(
        variables={"CLOCK_OFFSET": str(clock), "HEARD": str(heard)}
    )
    house.start("--only", "broker,ledger,listener,steady")
    house.running()
    before = {name: each["pid"] for name, each in house.services().items()}
    for told, offset_s in enumerate((MONTH_S, -MONTH_S), start=1):
        clock.write_text(str(offset_s))
        eventually(lambda told=told: len(jumps(house)) >= told, within_s=20)
    eventually(heard.exists, within_s=20)
    sequences = [int(line.split()[0]) for line in heard.read_text().splitlines()]
    assert sequences == sorted(set(sequences))
    assert {name: each["pid"] for name, each in house.services().items()} == before
    assert house.status()["status"] == "running"
    assert "stood still" not in house.log.read_text()


def jumps(house: Installation) -> list[object]:
    """The jumps of the clock that were told and committed."""
    said = house.run("events", "list", "--kind", "clock_jumped", "--json")
    return list(json.loads(said.stdout)["events"])
