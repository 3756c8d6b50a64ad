from __future__ import annotations

from pathlib import Path, PurePosixPath
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigilar_recorder.layout import absolute, relative_path, thumbnail_path

VIENNA = ZoneInfo("Europe/Vienna")


@pytest.mark.parametrize(
    ("zone", "day"), [("Europe/Vienna", "2026/01/01"), ("America/New_York", "2025/12/31")]
)
def test_the_day_is_the_households(zone: str, day: str) -> None:
    path = relative_path("hall", "0a", 1_767_225_600_000_000, ZoneInfo(zone), encrypted=True)
    assert str(path) == f"hall/{day}/0a.vge"


@pytest.mark.parametrize("id", ["../x", "a/b", "", ".", "a b", "a\0", "x" * 65])
def test_a_name_that_is_no_id_makes_no_path(id: str) -> None:
    with pytest.raises(ValueError, match="not an id"):
        relative_path(id, "0a", 0, VIENNA, encrypted=True)
    with pytest.raises(ValueError, match="not an id"):
        relative_path("hall", id, 0, VIENNA, encrypted=True)


@given(st.integers(0, 4_000_000_000_000_000), st.booleans())
def test_every_path_that_is_made_is_followed(time_us: int, encrypted: bool) -> None:
    path = relative_path("hall", "0a", time_us, VIENNA, encrypted=encrypted)
    root = Path("/recordings")
    assert absolute(root, str(path)) == root / path
    assert absolute(root, str(thumbnail_path(path))) == root / thumbnail_path(path)


@given(st.text(max_size=80) | st.from_regex(r"(\.\.|hall|/|20\d\d|\d\d|0a\.vge|\\|\x00){1,7}"))
def test_no_other_path_leads_out_of_the_folder(text: str) -> None:
    root = Path("/recordings")
    try:
        found = absolute(root, text)
    except ValueError:
        return
    assert found.is_relative_to(root)
    assert ".." not in found.parts


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    root = tmp_path / "recordings"
    (root / "hall" / "2026" / "01").mkdir(parents=True)
    (root / "hall" / "2026" / "01" / "01").symlink_to(outside)
    with pytest.raises(ValueError, match="leads out"):
        absolute(root, "hall/2026/01/01/0a.vge")


def test_thumbnails_of_plain_recordings_are_plain() -> None:
    assert thumbnail_path(PurePosixPath("a/b.mp4")).suffix == ".jpg"
    assert thumbnail_path(PurePosixPath("a/b.vge")).suffix == ".vgt"
