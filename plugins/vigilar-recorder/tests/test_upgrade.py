from __future__ import annotations

import io
from pathlib import Path

import av
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR

from vigilar_core.recording_file import (
    NotARecording,
    PlayableView,
    RecordingDamaged,
    RecordingReader,
    open_recording,
)
from vigilar_recorder.upgrade import upgrade

KEY = bytes(range(32))


@pytest.fixture
def legacy(tmp_path: Path) -> Path:
    """A recording of the older format: three seconds with a key frame each second."""
    plain = io.BytesIO()
    with av.open(plain, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        stream.options = {"preset": "ultrafast", "x264-params": "keyint=25:bframes=0"}
        for number in range(75):
            frame = av.VideoFrame(320, 180, "yuv420p")
            for plane in frame.planes:
                plane.update(bytes([number]) * plane.buffer_size)
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    start = bytes(range(16))
    path = tmp_path / "old.vge"
    path.write_bytes(start + Cipher(AES(KEY), CTR(start)).encryptor().update(plain.getvalue()))
    return path


def pictures(path: Path) -> int:
    with (
        open_recording(path, KEY) as plain,
        av.open(io.BytesIO(PlayableView(plain).read())) as container,
    ):
        return sum(1 for _ in container.decode(video=0))


def test_every_picture_is_in_the_new_file_in_the_old_place(legacy: Path) -> None:
    assert upgrade(legacy, KEY, camera="hall") is True
    assert pictures(legacy) == 75
    with open_recording(legacy, KEY) as plain:
        assert isinstance(plain, RecordingReader)
        assert plain.metadata.camera == "hall"
        assert plain.metadata.video_codec == "h264"
    assert [path.name for path in legacy.parent.iterdir()] == ["old.vge"]


def test_a_change_of_the_new_file_is_noticed_as_it_was_not_before(legacy: Path) -> None:
    def flip() -> None:
        data = bytearray(legacy.read_bytes())
        data[len(data) // 2] ^= 1
        legacy.write_bytes(data)

    flip()
    with open_recording(legacy, KEY) as plain:
        plain.read()
    flip()
    upgrade(legacy, KEY, camera="hall")
    flip()
    with pytest.raises(RecordingDamaged), open_recording(legacy, KEY) as plain:
        plain.read()
        plain.read()


def test_a_file_of_the_present_format_is_left_alone(legacy: Path) -> None:
    upgrade(legacy, KEY, camera="hall")
    before = legacy.read_bytes()
    assert upgrade(legacy, KEY, camera="hall") is False
    assert legacy.read_bytes() == before


def test_a_wrong_key_leaves_the_old_file_as_it_is(legacy: Path) -> None:
    before = legacy.read_bytes()
    with pytest.raises(NotARecording):
        upgrade(legacy, bytes(32), camera="hall")
    assert legacy.read_bytes() == before


def test_a_full_disk_leaves_the_old_file_as_it_is(
    legacy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = legacy.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("vigilar_core.recording_file.writer.RecordingWriter._put", full)
    with pytest.raises(OSError, match="No space"):
        upgrade(legacy, KEY, camera="hall")
    assert legacy.read_bytes() == before
    assert [path.name for path in legacy.parent.iterdir()] == ["old.vge"]
