"""Recordings for programs, below ``/api/v1``."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Literal

from flask import Response, abort, jsonify
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from pydantic import BaseModel, ConfigDict, Field

from vigilar_core.bus import topics
from vigilar_core.web import Role, access
from vigilar_recorder.policy import MAX_MANUAL_S
from vigilar_recorder.register import Recording, Search
from vigilar_recorder.shelf import Shelf

_TIME_US_MAX = 253_402_300_799_999_999  # the end of the year 9999
_HIDDEN = frozenset({"path", "thumbnail", "deleting_reason", "deleting_by"})


class RecordingsQuery(BaseModel):
    """Which recordings, newest first; older pages by ``cursor``."""

    model_config = ConfigDict(extra="forbid")

    camera: str | None = Field(None, pattern=f"^{topics.ID_PATTERN}$")
    trigger: Literal["motion", "manual", "continuous"] | None = None
    starred: bool = False
    since_us: int | None = Field(None, ge=0, le=_TIME_US_MAX, description="begun from then on")
    until_us: int | None = Field(None, ge=0, le=_TIME_US_MAX, description="begun before then")
    cursor: str | None = Field(
        None, pattern=r"^\d{1,18}-[0-9A-Za-z_-]{1,64}$", description="`next` of a page"
    )
    limit: int = Field(50, ge=1, le=200)

    def search(self) -> Search:
        """What the register is asked."""
        before = None
        if self.cursor is not None:
            time_us, _, recording = self.cursor.partition("-")
            before = int(time_us), recording
        return Search(
            [self.camera] if self.camera else None,
            self.trigger or "",
            self.starred,
            self.since_us,
            self.until_us,
            before,
        )


class RecordingPath(BaseModel):
    recording_id: str = Field(pattern=f"^{topics.ID_PATTERN}$")


class CameraPath(BaseModel):
    camera_id: str = Field(pattern=f"^{topics.ID_PATTERN}$")


class StarBody(BaseModel):
    model_config = ConfigDict(extra="forbid")

    starred: bool


class RecordBody(BaseModel):
    model_config = ConfigDict(extra="forbid")

    action: Literal["start", "stop"]
    duration_s: float | None = Field(
        None, gt=0, le=MAX_MANUAL_S, description="end by itself; null: when told to"
    )


class MotionDocument(BaseModel):
    starts: int
    confidence: float
    zones: list[str]


class RecordingDocument(BaseModel):
    """A recording; times in microseconds since 1970 UTC, null while it is open."""

    id: str
    camera: str
    start_time_us: int
    end_time_us: int | None
    duration_s: float | None
    size_bytes: int | None
    sha256: str | None = Field(description="of the file as it lies on disk")
    trigger: str
    trigger_time_us: int
    who: str
    pre_roll_s: float
    video_codec: str
    audio_codec: str | None
    width: int
    height: int
    key_frames_only: bool
    encrypted: bool
    continues: str | None
    ended_by: str | None
    motion: MotionDocument
    sealed: bool
    recovered: bool
    starred: bool
    held: bool
    has_thumbnail: bool


class RecordingsDocument(BaseModel):
    items: list[RecordingDocument]
    next: str | None = Field(description="`cursor` of the next page; null: there is none")


class Refusal(BaseModel):
    type: str = "about:blank"
    title: str
    status: int


def document(recording: Recording) -> dict[str, Any]:
    """A recording for programs; where its file lies is nobody's business."""
    fields = {name: value for name, value in asdict(recording).items() if name not in _HIDDEN}
    return fields | {"has_thumbnail": recording.thumbnail is not None}


def blueprint(shelf: Shelf) -> APIBlueprint:
    """The API over a shelf."""
    made = APIBlueprint(
        "recordings_api",
        __name__,
        url_prefix="/api/v1",
        abp_tags=[Tag(name="recordings")],
        abp_security=[{"session": []}],
        abp_responses={401: Refusal, 403: Refusal, 404: Refusal},
    )
    _add_reading(made, shelf)
    _add_changing(made, shelf)
    return made


def _add_reading(made: APIBlueprint, shelf: Shelf) -> None:
    @made.get("/recordings", responses={200: RecordingsDocument})
    @access(Role.VIEWER)
    def recordings(query: RecordingsQuery) -> Response:
        """Recordings"""
        found = shelf.search(query.search(), query.limit + 1)
        shown = found[: query.limit]
        following = None
        if len(found) > query.limit:
            following = f"{shown[-1].start_time_us}-{shown[-1].id}"
        return jsonify(items=[document(each) for each in shown], next=following)

    @made.get("/recordings/<recording_id>", responses={200: RecordingDocument})
    @access(Role.VIEWER)
    def recording(path: RecordingPath) -> Response:
        """One recording"""
        return jsonify(document(shelf.get(path.recording_id)))

    @made.get("/recordings/<recording_id>/video")
    @access(Role.VIEWER)
    def video(path: RecordingPath) -> Response:
        """The video as MP4, whole or a range of it"""
        return shelf.video(shelf.get(path.recording_id))

    @made.get("/recordings/<recording_id>/thumbnail")
    @access(Role.VIEWER)
    def thumbnail(path: RecordingPath) -> Response:
        """A picture of it as JPEG"""
        return shelf.thumbnail(shelf.get(path.recording_id))


def _add_changing(made: APIBlueprint, shelf: Shelf) -> None:
    @made.put("/recordings/<recording_id>/starred", responses={200: RecordingDocument})
    @access(Role.OPERATOR)
    def star(path: RecordingPath, body: StarBody) -> Response:
        """Keep a recording, or no longer"""
        shelf.star(shelf.get(path.recording_id), body.starred)
        return jsonify(document(shelf.get(path.recording_id)))

    @made.delete("/recordings/<recording_id>", responses={204: None, 409: Refusal})
    @access(Role.OPERATOR)
    def delete(path: RecordingPath) -> Response:
        """Delete a recording"""
        if not shelf.delete([shelf.get(path.recording_id)]):
            abort(409, "An open or held recording cannot be deleted.")
        return Response(status=204)

    @made.post("/cameras/<camera_id>/record", responses={202: None})
    @access(Role.OPERATOR, camera="camera_id")
    def record(path: CameraPath, body: RecordBody) -> Response:
        """Begin or end recording by hand"""
        shelf.record(path.camera_id, body.action, body.duration_s)
        return Response(status=202)
