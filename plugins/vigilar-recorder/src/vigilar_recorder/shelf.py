"""What the web may do with recordings on behalf of the person of the present request."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from flask import Response, abort

from vigilar_core.bus import topics
from vigilar_core.config.core import Camera
from vigilar_core.errors import NotReadyError
from vigilar_core.recording_file import RecordingError
from vigilar_core.web import WebContext
from vigilar_recorder import event_kinds, media_response, thumbnail
from vigilar_recorder.layout import PLAIN_THUMBNAIL, absolute
from vigilar_recorder.register import Recording, Register, Search
from vigilar_recorder.removal import Removal

log = logging.getLogger(__name__)


class Shelf:
    """Recordings as one person may see them; what they may not see does not exist.

    :param web: of the web plugin
    """

    def __init__(self, web: WebContext) -> None:
        self._web = web
        self.register = Register(web.engine)
        self._removal = Removal(self.register, web.bus, web.paths.recordings_dir)

    def cameras(self) -> dict[str, str]:
        """Ids and names of the cameras the person may see, also of such as only have recordings."""
        configured = self._web.settings.items("cameras")
        ids = [*configured, *(id for id in self.register.cameras() if id not in configured)]
        return {id: self.camera_name(id) for id in ids if self._web.may_see(id)}

    def camera_name(self, camera: str) -> str:
        try:
            return self._web.settings.item("cameras", camera, Camera).title
        except KeyError:
            return camera

    def search(self, search: Search, limit: int) -> list[Recording]:
        """A page of what the person may see."""
        allowed = set(self.cameras())
        wanted = allowed if search.cameras is None else allowed & set(search.cameras)
        return self.register.search(replace(search, cameras=sorted(wanted)), limit)

    def get(self, recording: str) -> Recording:
        """A recording, or 404."""
        found = self.register.get(recording)
        if found is None or not self._web.may_see(found.camera):
            abort(404)
        return found

    def at(self, camera: str, time_us: int) -> Recording:
        """The recording of a moment, or 404."""
        found = self.register.at(camera, time_us)
        if found is None or not self._web.may_see(found.camera):
            abort(404)
        return found

    def video(self, recording: Recording, *, download: bool = False) -> Response:
        """The bytes of a recording."""
        name = f"{recording.camera}-{recording.id}.mp4" if download else None
        try:
            key = self._web.storage_key() if recording.encrypted else None
            path = self._path(recording.path)
            return media_response.video(path, key, recording, download_name=name)
        except FileNotFoundError:
            abort(404, "The file of this recording is missing.")
        except NotReadyError as error:
            abort(503, str(error))
        except RecordingError as error:
            log.error("recording %s cannot be played: %s", recording.id, error)
            abort(500, f"This recording cannot be played: {error}.")

    def thumbnail(self, recording: Recording) -> Response:
        """The picture of a recording, or 404."""
        if recording.thumbnail is None:
            abort(404)
        try:
            path = self._path(recording.thumbnail)
            data = path.read_bytes()
            if path.suffix != PLAIN_THUMBNAIL:
                data = thumbnail.decrypt(data, self._web.storage_key(), recording.id)
        except (OSError, NotReadyError, RecordingError) as error:
            log.warning("the thumbnail of %s cannot be shown: %s", recording.id, error)
            abort(404)
        return Response(data, mimetype="image/jpeg", headers={"Cache-Control": "private, no-store"})

    def star(self, recording: Recording, starred: bool) -> None:
        """Keep a recording, or no longer."""
        self.register.star(recording.id, starred)
        self._web.bus.publish_event(
            event_kinds.topic(recording.camera, "starred"),
            id=recording.id,
            starred=starred,
            who=self._web.user_name(),
        )

    def delete(self, recordings: Sequence[Recording]) -> int:
        """Delete recordings; those that are open or held stay.

        :returns: how many are gone
        """
        ids = [recording.id for recording in recordings]
        marked = self.register.mark(ids, "asked for", self._web.user_name())
        self._removal.finish()
        return len(marked)

    def record(self, camera: str, action: str, duration_s: float | None = None) -> None:
        """Ask a camera's recorder to begin or to end."""
        if camera not in self._web.settings.items("cameras"):
            abort(404)
        request: dict[str, Any] = {"action": action, "who": self._web.user_name()}
        if duration_s is not None:
            request["duration_s"] = duration_s
        self._web.bus.publish_state(event_kinds.request_topic(topics.check_id(camera)), request)

    def _path(self, noted: str) -> Path:
        try:
            return absolute(self._web.paths.recordings_dir, noted)
        except ValueError as error:
            log.error("a row of the register is not followed: %s", error)
            abort(404)
