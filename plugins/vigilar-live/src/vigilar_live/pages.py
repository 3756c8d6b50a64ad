"""Pages and streams of the live picture, mounted by the web plugin."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from flask import Blueprint, Response, abort, render_template, send_from_directory
from flask_sock import Sock
from werkzeug.exceptions import ServiceUnavailable

from vigilar_core.bus import topics
from vigilar_core.web import NavigationEntry, Role, WebContext, WebPart, access
from vigilar_live.fragment_ring import FragmentReader
from vigilar_live.hls import FILE_NAME
from vigilar_live.options import LiveOptions
from vigilar_live.pictures import BOUNDARY, PictureSource, jpeg, picture_parts
from vigilar_live.viewers import TooManyViewersError, Viewers
from vigilar_live.watching import Mode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simple_websocket import Server

#: A viewer without news for this long is told so and the stream ends.
PATIENCE_S = 15.0
_READ_PAUSE_S = 0.02


def parts(web: WebContext) -> Sequence[WebPart]:
    options = web.settings.section(LiveOptions)
    viewers = Viewers(web.bus, web.clock, options.max_viewers)
    blueprint = Blueprint(
        "live",
        __name__,
        template_folder="templates",
        static_folder="static",
        static_url_path="/live/static",
    )
    _add_pages(blueprint, web)
    _add_streams(blueprint, web, viewers, options)
    entry = NavigationEntry("Live", "live.index", "camera-video", order=10)
    return [WebPart(blueprint, [entry])]


def _cameras(web: WebContext) -> list[dict[str, str]]:
    from vigilar_core.config.core import Camera

    return [
        {"id": camera_id, "name": web.settings.item("cameras", camera_id, Camera).title}
        for camera_id in web.settings.items("cameras")
        if web.may_see(camera_id)
    ]


def _known(web: WebContext, camera_id: str) -> str:
    """The id of a configured camera; anything else is not found."""
    if camera_id not in web.settings.items("cameras"):
        abort(404)
    return topics.check_id(camera_id)


def _add_pages(blueprint: Blueprint, web: WebContext) -> None:
    @blueprint.get("/live")
    @access(Role.VIEWER)
    def index() -> str:
        return render_template("live/index.html", cameras=_cameras(web))

    @blueprint.get("/live/<camera_id>")
    @access(Role.VIEWER, camera="camera_id")
    def camera(camera_id: str) -> str:
        _known(web, camera_id)
        found = next(camera for camera in _cameras(web) if camera["id"] == camera_id)
        return render_template("live/camera.html", camera=found)


def _add_streams(
    blueprint: Blueprint, web: WebContext, viewers: Viewers, options: LiveOptions
) -> None:
    @blueprint.get("/live/<camera_id>/hls/<name>")
    @access(Role.VIEWER, camera="camera_id")
    def hls(camera_id: str, name: str) -> Response:
        camera_id = _known(web, camera_id)
        if not FILE_NAME.fullmatch(name):
            abort(404)
        viewers.tell(camera_id, Mode.HLS)
        response = send_from_directory(web.paths.hls_dir / camera_id, name, max_age=0)
        if name.endswith(".m3u8"):
            response.mimetype = "application/vnd.apple.mpegurl"
        response.cache_control.no_store = True
        return response

    @blueprint.get("/live/<camera_id>/pictures")
    @access(Role.VIEWER, camera="camera_id")
    def pictures(camera_id: str) -> Response:
        camera_id = _known(web, camera_id)
        content = f"multipart/x-mixed-replace; boundary={BOUNDARY}"
        return Response(_pictures(web, viewers, options, camera_id), content_type=content)

    @blueprint.get("/live/<camera_id>/picture.jpg")
    @access(Role.VIEWER, camera="camera_id")
    def picture(camera_id: str) -> Response:
        camera_id = _known(web, camera_id)
        viewers.tell(camera_id, Mode.PICTURES)
        source, pause = PictureSource(web.paths.frames_dir, camera_id), threading.Event()
        for _ in range(20):
            if (frame := source.latest()) is not None:
                source.close()
                body = jpeg(frame, options.picture_width_px)
                return Response(body, mimetype="image/jpeg", headers={"Cache-Control": "no-store"})
            pause.wait(0.1)
        source.close()
        raise ServiceUnavailable("the camera sends no picture")

    @Sock().route("/live/<camera_id>/fragments", bp=blueprint)  # type: ignore[untyped-decorator]  # flask-sock has no types
    @access(Role.VIEWER, camera="camera_id")
    def fragments(socket: Server, camera_id: str) -> None:
        camera_id = _known(web, camera_id)
        try:
            with viewers.view():
                _send_fragments(web, viewers, camera_id, socket)
        except TooManyViewersError:
            socket.close(reason=1013, message="too many viewers")


def _send_fragments(web: WebContext, viewers: Viewers, camera_id: str, socket: Server) -> None:
    """Text ``{"type": …}`` and the init segment, then fragments; again after each change."""
    reader, generation = FragmentReader(web.paths.frames_dir, camera_id), 0
    deadline = web.clock.monotonic_s() + PATIENCE_S
    try:
        while web.clock.monotonic_s() < deadline:
            viewers.tell(camera_id, Mode.FRAGMENTS)
            init = reader.init()
            for fragment in reader.following():
                deadline = web.clock.monotonic_s() + PATIENCE_S
                if init is None or fragment.generation != init[0]:
                    init = reader.init()
                if init is None or fragment.generation != init[0]:
                    continue
                if generation != init[0]:
                    generation = init[0]
                    socket.send(json.dumps({"type": init[1]}))
                    socket.send(init[2])
                socket.send(fragment.data)
            # A viewer sends nothing; receiving notices that it left.
            socket.receive(timeout=_READ_PAUSE_S)
        socket.close(reason=1013, message="the camera sends no picture")
    finally:
        reader.close()


def _pictures(
    web: WebContext, viewers: Viewers, options: LiveOptions, camera_id: str
) -> Iterator[bytes]:
    source = PictureSource(web.paths.frames_dir, camera_id)
    try:
        with viewers.view():
            yield from picture_parts(
                source,
                fps=options.picture_fps,
                width_px=options.picture_width_px,
                patience_s=PATIENCE_S,
                keep=lambda: viewers.tell(camera_id, Mode.PICTURES),
            )
    except TooManyViewersError:
        return
    finally:
        source.close()
