"""The hooks of Vigilar: everything a plugin can declare, run, or react to.

A plugin is an entry point in the group ``vigilar.plugins`` whose object (a module or an
instance) carries functions marked with :data:`hookimpl`. Commands of a plugin are entry
points in the group ``vigilar.commands``, so that ``vigilar --help`` imports no plugin.

Hooks are plain calls within one process. Every call is guarded: an exception costs that
plugin's answer, is logged with plugin and hook, counted, and shown by ``vigilar plugins``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from vigilar_core.alerts import Alert, Delivery
    from vigilar_core.config import ConfigSection, Settings
    from vigilar_core.context import CameraContext, Service, ServiceContext
    from vigilar_core.events import Event, EventKind
    from vigilar_core.health import Health
    from vigilar_core.media import Frame, Motion
    from vigilar_core.store import Tables
    from vigilar_core.web import WebContext, WebPart

#: Name of the hook namespace and of the entry-point group ``vigilar.plugins``.
PROJECT = "vigilar"

hookspec = pluggy.HookspecMarker(PROJECT)
#: Marks a function of a plugin as the implementation of the hook of the same name.
hookimpl = pluggy.HookimplMarker(PROJECT)


# ---------------------------------------------------------------------------- declare


@hookspec
def register_config() -> Sequence[ConfigSection]:
    """Declare the sections and keys of the configuration that this plugin owns.

    :When: in the probe, and in every process that runs the plugin, before anything else
    :Returns: sections; two plugins may share a path but never a key
    :Guarantee: once per process
    :Runs in: probe, worker, web, ledger
    :Errors: make the plugin broken
    :Since: 0.1
    """
    raise AssertionError("specification only")


@hookspec
def register_services(settings: Settings) -> Sequence[Service]:
    """Declare the services that the supervisor keeps running for this plugin.

    :When: in the probe, with the checked configuration
    :Returns: services, one per camera where a camera needs one; none when there is nothing to do
    :param settings: the checked configuration
    :Guarantee: once per start and once per reload
    :Runs in: probe
    :Errors: make the plugin broken
    :Since: 0.1
    """
    raise AssertionError("specification only")


@hookspec
def register_event_kinds() -> Sequence[EventKind]:
    """Declare the kinds of event that this plugin publishes, with topic, severity and words.

    :When: in the probe; the catalogue of all kinds is handed to every process
    :Returns: kinds; name and topic unique in the installation
    :Guarantee: once per start
    :Runs in: probe
    :Errors: make the plugin broken
    :Since: 0.1
    """
    raise AssertionError("specification only")


@hookspec
def register_tables() -> Tables | None:
    """Declare the tables of this plugin, their migrations and the rows that follow from events.

    :When: while migrating, and at the start of the ledger and of the web
    :Returns: tables, or ``None``; SQLAlchemy is imported inside this function, not above it
    :Guarantee: once per process
    :Runs in: ledger, web, ``vigilar db``
    :Errors: the ledger goes on without this plugin's rows and says so as an event
    :Since: 0.1
    """
    raise AssertionError("specification only")


@hookspec
def register_blueprint(web: WebContext) -> Sequence[WebPart]:
    """Declare pages and API of this plugin.

    :When: at the start of the web, before the first request
    :Returns: parts, each a Flask blueprint with its entries of the menu; every view carries
        an :func:`vigilar_core.web.access` mark
    :param web: settings, bus, store and the rights of the present person
    :Guarantee: once per process
    :Runs in: web
    :Errors: the web starts without this plugin's pages and says so
    :Since: 0.1
    """
    raise AssertionError("specification only")


# ------------------------------------------------------------------------------- live


@hookspec
def service_start(context: ServiceContext) -> None:
    """Open what the service needs.

    :When: once, in the service's own process
    :param context: the surroundings; keep it
    :Guarantee: before every other live hook of that service
    :Runs in: worker
    :Errors: ``ConfigurationError`` waits for a changed configuration; any other restarts the
        service with back-off
    :Since: 0.1
    """


@hookspec
def service_run(context: ServiceContext) -> None:
    """Own the service's loop; calls ``context.wait`` at least every few seconds.

    :When: after ``service_start``, only where a plugin implements it; else ``poll`` is called
    :param context: the surroundings
    :Guarantee: returning ends the service cleanly when it was asked to stop, else restarts it
    :Runs in: worker
    :Errors: restart with back-off
    :Since: 0.1
    """


@hookspec
def poll(context: ServiceContext) -> None:
    """Do a small piece of regular work.

    :When: every ``Service.poll_interval_s``
    :param context: the surroundings
    :Guarantee: never twice at once; a late call is not made up for
    :Runs in: worker
    :Errors: logged and counted; ten in a row restart the service
    :Since: 0.1
    """


@hookspec
def service_stop(context: ServiceContext) -> None:
    """Finish what is open, within five seconds.

    :When: once, when the service ends in an orderly way
    :param context: the surroundings
    :Guarantee: not called after a crash: state on disk must be right without it
    :Runs in: worker
    :Errors: logged
    :Since: 0.1
    """


# ----------------------------------------------------------------------------- inline


@hookspec
def camera_attach(camera: CameraContext) -> object | None:
    """Attach to a camera inside its own worker, where packets are not copied.

    :When: once per camera, before its first packet
    :Returns: an object with any methods of :class:`vigilar_core.context.InlineCamera`, or
        ``None`` to stay away from this camera
    :param camera: settings of the camera, bus, clock
    :Guarantee: the object's methods are called in the camera's loop, one at a time, packets in
        decoding order
    :Runs in: camera worker
    :Errors: the camera goes on without this plugin and says so as an event; of a method: logged,
        counted, the other plugins still get the call
    :Since: 0.1
    """


# -------------------------------------------------------------------------- the five


@hookspec
def on_frame(frame: Frame) -> Sequence[Motion] | None:
    """Look at a decoded picture, detached from the camera's worker.

    :When: for each new picture in a frame ring; inline analysers get it as a method of what
        ``camera_attach`` returned
    :Returns: edges of motion, or ``None``
    :param frame: valid during the call only
    :Guarantee: the latest picture wins, skipped ones are counted
    :Runs in: a worker of the plugin's own
    :Errors: logged and counted
    :Since: 0.1
    """


@hookspec
def on_motion(motion: Motion) -> None:
    """React to an edge of motion, detached from the camera's worker.

    :When: after the event of the edge is committed; inline plugins get it at once as a method of
        what ``camera_attach`` returned
    :param motion: the edge
    :Guarantee: at least once
    :Runs in: a worker of the plugin's own
    :Errors: logged and counted
    :Since: 0.1
    """


@hookspec
def on_event(event: Event) -> None:
    """React to a committed event.

    :When: after its commit, in the order of ``event.sequence``
    :param event: with its sequence number
    :Guarantee: at least once, none left out, also over restarts of this plugin and of the broker
    :Runs in: a worker of the plugin's own
    :Errors: logged and counted; the event is not given again
    :Since: 0.1
    """


@hookspec
def notify(alert: Alert) -> Delivery | None:
    """Try once to deliver an alert.

    :When: a channel's turn has come
    :Returns: what became of the try; ``None`` counts as delivered
    :param alert: with a stable id, so that a repeat can be recognised
    :Guarantee: at least once until delivered, refused for good, or expired
    :Runs in: the channel's worker
    :Errors: count as a transient failure
    :Since: 0.1
    """


@hookspec
def health_check() -> Health:
    """Say how the plugin is.

    :When: every ten seconds, in the service's loop
    :Returns: state, reason, figures
    :Guarantee: never while another hook of the same service runs
    :Runs in: worker
    :Errors: count as failed
    :Since: 0.1
    """
    raise AssertionError("specification only")
