from __future__ import annotations

import io
import json
import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from vigilar_core.runtime import logs


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """Leave logging as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def configured(level: str = "INFO", **options: object) -> io.StringIO:
    out = io.StringIO()
    logs.configure(level, service="camera:hall", stream=out, **options)  # type: ignore[arg-type]
    return out


def test_a_record_is_one_line_of_json_with_level_service_and_time() -> None:
    out = configured()
    structlog.get_logger().warning("frame lost", camera="hall")
    (line,) = out.getvalue().splitlines()
    record = json.loads(line)
    assert record.pop("timestamp").endswith("Z")
    assert record == {
        "event": "frame lost", "camera": "hall", "level": "warning", "service": "camera:hall",
    }  # fmt: skip


def test_records_of_the_standard_library_look_the_same() -> None:
    out = configured()
    logging.getLogger("paho").error("lost %s", "it", extra={"attempt": 3})
    record = json.loads(out.getvalue())
    assert (record["event"], record["level"], record["service"], record["attempt"]) == (
        "lost it", "error", "camera:hall", 3,
    )  # fmt: skip


def test_a_traceback_stays_within_its_line() -> None:
    out = configured()
    try:
        raise OSError("no such device")
    except OSError:
        logging.getLogger().exception("failed")
    (line,) = out.getvalue().splitlines()
    assert "no such device" in json.loads(line)["exception"]


def test_less_important_records_are_left_out() -> None:
    out = configured("WARNING")
    structlog.get_logger().info("fine")
    logging.getLogger().info("fine")
    assert out.getvalue() == ""


def test_libraries_that_tell_each_step_are_quiet_unless_debugging() -> None:
    out = configured("INFO")
    logging.getLogger("alembic.runtime").info("step")
    assert out.getvalue() == ""
    out = configured("DEBUG")
    logging.getLogger("alembic.runtime").info("step")
    assert "step" in out.getvalue()


words = st.text("abcdefghij", min_size=8, max_size=20)


@given(words, st.sampled_from(["password", "mqtt_password", "Token", "arm_pin", "secret"]))
def test_what_is_called_a_secret_is_never_written(word: str, name: str) -> None:
    out = configured()
    structlog.get_logger().info("set", **{name: word}, inner={"deep": [{name: word}]})
    assert word not in out.getvalue()


@given(words)
def test_the_password_of_a_url_is_never_written_wherever_it_stands(word: str) -> None:
    out = configured()
    url = f"rtsp://joe:{word}@camera/1"
    structlog.get_logger().info(f"open {url}", url=url, urls=[url])
    try:
        raise ValueError(url)
    except ValueError:
        logging.getLogger().exception("cannot open %s", url)
    assert word not in out.getvalue()


def test_lines_for_the_journal_begin_with_their_priority_and_have_no_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (tmp_path / "journal").open("w") as out:
        status = os.fstat(out.fileno())
        monkeypatch.setenv("JOURNAL_STREAM", f"{status.st_dev}:{status.st_ino}")
        logs.configure("DEBUG", service="web", stream=out)
        log = logging.getLogger("x")
        log.debug("d")
        log.warning("w")
        log.critical("two\nlines")
    lines = (tmp_path / "journal").read_text().splitlines()
    assert [line[:3] for line in lines] == ["<7>", "<4>", "<2>", "<2>"]
    assert not any("20" in line for line in lines)


def test_a_pipe_gets_json_and_people_can_be_asked_for() -> None:
    out = configured(format="console")
    structlog.get_logger().info("hello", who="you")
    assert "hello" in out.getvalue()
    assert not out.getvalue().startswith("{")
