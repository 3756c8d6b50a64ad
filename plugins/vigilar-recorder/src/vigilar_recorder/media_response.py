"""Answers with the bytes of a recording, decrypted while they are sent; any part of them alone.

Ranges and conditions follow RFC 9110, sections 13 and 14, as Werkzeug implements them.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import IO, cast

from flask import Response, request
from werkzeug.wsgi import FileWrapper

from vigilar_core.recording_file import PlayableView
from vigilar_recorder import files
from vigilar_recorder.register import Recording

_CHUNK_BYTES = 256 << 10


def video(
    path: Path, key: bytes | None, recording: Recording, *, download_name: str | None = None
) -> Response:
    """The recording as a seekable MP4: 200, 206, 304 or 416.

    :param download_name: offer it as a file under this name
    :raises RecordingError: it is damaged, or written under another key
    :raises OSError: the file cannot be read
    :raises RequestedRangeNotSatisfiable: the range lies outside
    """
    view = PlayableView(files.open_file(path, key, sealed=recording.sealed))
    try:
        response = Response(
            FileWrapper(cast("IO[bytes]", view), _CHUNK_BYTES),
            mimetype="video/mp4",
            direct_passthrough=True,
        )
        response.content_length = view.size_bytes
        # The part that is decrypted may grow while the recording is open.
        response.set_etag(f"{recording.id}-{view.size_bytes:x}")
        ended_us = recording.end_time_us or recording.start_time_us
        response.last_modified = datetime.fromtimestamp(ended_us // 1_000_000, UTC)
        response.headers["Cache-Control"] = "private, no-store"
        if download_name is not None:
            response.headers.set("Content-Disposition", "attachment", filename=download_name)
        response.call_on_close(view.close)
        response.make_conditional(
            request.environ, accept_ranges=True, complete_length=view.size_bytes
        )
    except BaseException:
        # Whatever is raised, nobody else knows the open file.
        view.close()
        raise
    return response
