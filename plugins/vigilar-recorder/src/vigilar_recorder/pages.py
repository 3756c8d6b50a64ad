"""Pages of recordings: the list, the player, and what can be done with one."""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from vigilar_core.config.core import System
from vigilar_core.web import NavigationEntry, Role, WebContext, WebPart, access
from vigilar_recorder import api, days
from vigilar_recorder.policy import MAX_MANUAL_S
from vigilar_recorder.register import Recording, Search
from vigilar_recorder.shelf import Shelf

PAGE = 48
TRIGGERS = ("motion", "manual", "continuous")
_CURSOR = re.compile(r"(\d{1,18})-([0-9A-Za-z_-]{1,64})")


def parts(web: WebContext) -> Sequence[WebPart]:
    """The blueprint of the pages and the one of the API."""
    shelf = Shelf(web)
    calendar = days.Calendar(web.settings.section(System).timezone)
    blueprint = Blueprint(
        "recordings",
        __name__,
        url_prefix="/recordings",
        template_folder="templates",
        static_folder="static",
        static_url_path="/static",
    )
    _add_list(blueprint, shelf, calendar)
    _add_one(blueprint, shelf, calendar)
    _add_moments(blueprint, shelf)
    _add_changes(blueprint, shelf)
    entry = NavigationEntry("Recordings", "recordings.index", "film", order=30)
    return [WebPart(blueprint, [entry]), WebPart(api.blueprint(shelf))]


def cursor_of(recording: Recording) -> str:
    """Where the page behind this recording begins."""
    return f"{recording.start_time_us}-{recording.id}"


def parse_cursor(text: str) -> tuple[int, str]:
    """The place a cursor names.

    :raises ValueError: it is none
    """
    found = _CURSOR.fullmatch(text)
    if found is None:
        raise ValueError("not the cursor of a page")
    return int(found[1]), found[2]


def _search(calendar: days.Calendar) -> Search:
    given = request.args
    since_us = until_us = None
    try:
        if given.get("day"):
            since_us, until_us = calendar.bounds_us(datetime.date.fromisoformat(given["day"]))
        before = parse_cursor(given["before"]) if given.get("before") else None
    except (ValueError, OverflowError):
        abort(400, "This filter cannot be understood.")
    trigger = given.get("trigger", "")
    if trigger and trigger not in TRIGGERS:
        abort(400, "This filter cannot be understood.")
    cameras = [given["camera"]] if given.get("camera") else None
    return Search(cameras, trigger, given.get("starred") == "1", since_us, until_us, before)


def _add_list(blueprint: Blueprint, shelf: Shelf, calendar: days.Calendar) -> None:
    @blueprint.get("/")
    @access(Role.VIEWER)
    def index() -> ResponseReturnValue:
        search = _search(calendar)
        found = shelf.search(search, PAGE + 1)
        shown, more = found[:PAGE], len(found) > PAGE
        chosen = {
            name: value
            for name in ("camera", "day", "trigger", "starred")
            if (value := request.args.get(name))
        }
        return render_template(
            "recordings/index.html",
            by_day=calendar.by_day(shown),
            local=calendar.local,
            length=days.length,
            cameras=shelf.cameras(),
            triggers=TRIGGERS,
            chosen=chosen,
            older=cursor_of(shown[-1]) if more else None,
        )


def _add_one(blueprint: Blueprint, shelf: Shelf, calendar: days.Calendar) -> None:
    @blueprint.get("/<recording_id>")
    @access(Role.VIEWER)
    def show(recording_id: str) -> ResponseReturnValue:
        recording = shelf.get(recording_id)
        return render_template(
            "recordings/show.html",
            recording=recording,
            camera=shelf.camera_name(recording.camera),
            start=calendar.local(recording.start_time_us),
            length=days.length(recording.duration_s),
            size=days.size(recording.size_bytes),
            offset_s=_offset_s(),
        )

    @blueprint.get("/<recording_id>/video.mp4")
    @access(Role.VIEWER)
    def video(recording_id: str) -> Response:
        return shelf.video(shelf.get(recording_id))

    @blueprint.get("/<recording_id>/download")
    @access(Role.OPERATOR)
    def download(recording_id: str) -> Response:
        return shelf.video(shelf.get(recording_id), download=True)

    @blueprint.get("/<recording_id>/thumbnail.jpg")
    @access(Role.VIEWER)
    def thumbnail(recording_id: str) -> Response:
        return shelf.thumbnail(shelf.get(recording_id))


def _offset_s() -> float:
    """Where the player begins: a number of seconds, or the start."""
    text = request.args.get("t", "0")
    return float(text) if re.fullmatch(r"\d{1,6}(\.\d{1,3})?", text) else 0.0


def _add_moments(blueprint: Blueprint, shelf: Shelf) -> None:
    @blueprint.get("/at/<camera_id>/<int:time_us>")
    @access(Role.VIEWER, camera="camera_id")
    def at(camera_id: str, time_us: int) -> ResponseReturnValue:
        """The player, at a moment."""
        recording = shelf.at(camera_id, _storable(time_us))
        offset_s = (time_us - recording.start_time_us) / 1e6
        return redirect(
            url_for("recordings.show", recording_id=recording.id, t=f"{max(0.0, offset_s):.1f}")
        )

    @blueprint.get("/at/<camera_id>/<int:time_us>/thumbnail.jpg")
    @access(Role.VIEWER, camera="camera_id")
    def thumbnail_at(camera_id: str, time_us: int) -> Response:
        """The picture of a moment; empty while there is none, which a browser takes quietly."""
        try:
            return shelf.thumbnail(shelf.at(camera_id, _storable(time_us)))
        except NotFound:
            return Response(status=204, headers={"Cache-Control": "no-store"})


def _storable(time_us: int) -> int:
    if time_us >= 1 << 63:
        abort(404)
    return time_us


def _add_changes(blueprint: Blueprint, shelf: Shelf) -> None:
    @blueprint.post("/<recording_id>/star")
    @access(Role.OPERATOR)
    def star(recording_id: str) -> ResponseReturnValue:
        shelf.star(shelf.get(recording_id), request.form.get("starred") == "1")
        return redirect(url_for("recordings.show", recording_id=recording_id), 303)

    @blueprint.post("/<recording_id>/delete")
    @access(Role.OPERATOR)
    def delete(recording_id: str) -> ResponseReturnValue:
        gone = shelf.delete([shelf.get(recording_id)])
        flash("The recording is deleted." if gone else "An open or held recording stays.")
        return redirect(url_for("recordings.index"), 303)

    @blueprint.post("/record/<camera_id>")
    @access(Role.OPERATOR, camera="camera_id")
    def record(camera_id: str) -> ResponseReturnValue:
        action, minutes = request.form.get("action", ""), request.form.get("minutes", "")
        if action not in ("start", "stop"):
            abort(400, "action is start or stop.")
        duration_s = None
        if minutes:
            if not re.fullmatch(r"\d{1,4}", minutes) or not 0 < int(minutes) * 60 <= MAX_MANUAL_S:
                abort(400, "minutes is a number from 1 to 1440.")
            duration_s = int(minutes) * 60.0
        shelf.record(camera_id, action, duration_s)
        flash(
            "The camera is told to record." if action == "start" else "The camera is told to stop."
        )
        return redirect(url_for("recordings.index", camera=camera_id), 303)
