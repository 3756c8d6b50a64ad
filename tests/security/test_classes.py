"""The index of attack classes: which tests stand for each, wherever in the project they are.

A class whose surface does not exist yet says so; its tests come with the surface.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]

WEB = "plugins/vigilar-web/tests/"
CAMERA = "plugins/vigilar-camera-rtsp/tests/"
RECORDER = "plugins/vigilar-recorder/tests/"
SECURITY = "tests/security/"
SUPERVISOR = "tests/process/test_supervisor.py"
ENVELOPE = "tests/unit/bus/test_envelope.py"

#: Number → name and tests; a file alone stands for every test in it that is named after the class.
CLASSES: Final[Mapping[int, tuple[str, tuple[str, ...]]]] = {
    1: ("path traversal", (
        SECURITY + "test_routes.py", WEB + "test_attacks.py",
        RECORDER + "test_web.py::test_a_name_leads_to_no_file",
        RECORDER + "test_web.py::test_a_row_that_was_tampered_with_leads_nowhere",
        "plugins/vigilar-live/tests/test_hls.py::test_no_other_name_is_served",
    )),
    2: ("camera URL as FFmpeg argument", (
        CAMERA + "test_address.py", CAMERA + "test_settings.py", CAMERA + "test_inputs.py",
        CAMERA + "test_hostile.py",
    )),
    3: ("command injection", (
        SECURITY + "test_metacharacters.py", SECURITY + "test_banned_code.py",
        CAMERA + "test_address.py",
    )),
    4: ("unsafe deserialisation", (SECURITY + "test_banned_code.py",)),
    5: ("tar and zip slip", (SECURITY + "test_banned_code.py",)),
    6: ("route without authorisation", (SECURITY + "test_routes.py", WEB + "test_access.py")),
    7: ("access across cameras", (
        SECURITY + "test_routes.py", SECURITY + "test_camera_scope.py", WEB + "test_access.py",
        RECORDER + "test_web.py::test_a_person_who_may_not_see_the_camera_gets_none_of_its_bytes",
        RECORDER
        + "test_web.py::test_a_person_who_may_not_see_the_camera_can_neither_list_nor_change",
    )),
    8: ("WebSocket and SSE", (
        SECURITY + "test_camera_scope.py", WEB + "test_access.py", WEB + "test_attacks.py",
        WEB + "test_following.py", WEB + "test_server.py",
    )),
    9: ("SQL injection", (
        SECURITY + "test_routes.py", SECURITY + "test_banned_code.py", WEB + "test_attacks.py",
    )),
    10: ("scripts in names and messages", (
        SECURITY + "test_scripts.py", SECURITY + "test_banned_code.py", WEB + "test_attacks.py",
        WEB + "test_browser.py",
        RECORDER + "test_web.py::test_the_player_page_shows_what_is_known_and_escapes_it",
    )),
    11: ("CSRF, changes by GET", (
        SECURITY + "test_routes.py", WEB + "test_attacks.py",
        RECORDER + "test_web.py::test_no_change_by_get_and_none_without_a_token",
    )),
    12: ("session fixation, stale tokens", (
        SECURITY + "test_camera_scope.py", WEB + "test_sign_in.py", WEB + "test_following.py",
    )),
    13: ("brute force", (WEB + "test_lockout.py", WEB + "test_sign_in.py")),
    14: ("default or empty credentials", (WEB + "test_setup.py",)),
    15: ("secrets in answers and logs", (
        SECURITY + "test_canaries.py", WEB + "test_attacks.py", CAMERA + "test_rtsp_camera.py",
        SUPERVISOR + "::test_workers_hold_no_secret_in_their_arguments_or_environment",
    )),
    16: ("readable hash, hash as password", (
        SECURITY + "test_canaries.py", WEB + "test_attacks.py", WEB + "test_certificate.py",
        WEB + "test_sign_in.py",
    )),
    18: ("forwarded headers", (WEB + "test_hosts.py",)),
    19: ("SSRF", (CAMERA + "test_hostile.py",)),
    20: ("open redirect, clickjacking", (WEB + "test_attacks.py", WEB + "test_sign_in.py")),
    21: ("lookup quirks", (WEB + "test_sign_in.py",)),
    22: ("ReDoS, giant names", (
        SECURITY + "test_routes.py", WEB + "test_attacks.py", WEB + "test_server.py",
        WEB + "test_sign_in.py",
    )),
    24: ("outbound TLS", (CAMERA + "test_hostile.py", SECURITY + "test_banned_code.py")),
    25: ("MQTT injection, hostile camera", (
        SECURITY + "test_bus_flood.py", CAMERA + "test_stream_clock.py", CAMERA + "test_sampler.py",
        CAMERA + "test_hostile.py::test_garbage_instead_of_media_ends_in_a_fault_and_the_next_try",
        ENVELOPE + "::test_twenty_thousand_random_and_mangled_messages_are_only_refused",
    )),
    26: ("timing, DNS rebinding", (
        WEB + "test_hosts.py", WEB + "test_attacks.py", WEB + "test_sign_in.py",
    )),
}  # fmt: skip
#: Classes of a surface that does not exist yet: which.
NO_SURFACE: Final = {
    17: "there is no port but the web's own; the private broker is a socket in a closed folder",
    23: "there is no audit log yet",
}


@cache
def names_in(file: str) -> frozenset[str]:
    """Names of the tests in a file; empty when there is no such file."""
    path = ROOT / file
    if not path.is_file():
        return frozenset()
    parts = ast.walk(ast.parse(path.read_text()))
    return frozenset(
        part.name
        for part in parts
        if isinstance(part, ast.FunctionDef) and part.name.startswith("test_")
    )


def numbers_of(test: str) -> set[int]:
    """The classes that a test is named after."""
    found = re.match(r"test_(?:attack_)?class(?:es)?_((?:\d+_|and_)+)", test)
    return {int(each) for each in re.findall(r"\d+", found[1])} if found else set()


def missing(number: int, named: Iterable[str]) -> Iterator[str]:
    """Entries of the index behind which there is no test."""
    for entry in named:
        file, _, test = entry.partition("::")
        there = {each for each in names_in(file) if number in numbers_of(each)}
        if test not in names_in(file) if test else not there:
            yield entry


@pytest.mark.parametrize("number", CLASSES)
def test_every_test_that_the_index_names_exists(number: int) -> None:
    _, named = CLASSES[number]
    assert list(missing(number, named)) == []


def test_every_class_has_tests_or_no_surface() -> None:
    assert sorted({*CLASSES, *NO_SURFACE}) == list(range(1, 27))
    assert not CLASSES.keys() & NO_SURFACE.keys()


def test_every_test_named_after_a_class_is_in_the_index() -> None:
    found = [*ROOT.glob("tests/**/test_*.py"), *ROOT.glob("plugins/*/tests/**/test_*.py")]
    strays = [
        f"{number}: {file}::{test}"
        for file in (path.relative_to(ROOT).as_posix() for path in found)
        for test in names_in(file)
        for number in numbers_of(test)
        if file not in {entry.partition("::")[0] for entry in CLASSES[number][1]}
    ]
    assert strays == []


def test_control_a_name_behind_which_there_is_nothing_is_found_out() -> None:
    entries = (
        SECURITY + "test_nothing.py",
        SECURITY + "test_routes.py::test_nothing",
        SECURITY + "test_canaries.py",
    )
    assert list(missing(1, entries)) == list(entries)
    assert numbers_of("test_classes_3_4_5_9_10_24_code_that") == {3, 4, 5, 9, 10, 24}
    assert numbers_of("test_attack_classes_2_and_3_anything") == {2, 3}
    assert numbers_of("test_every_class_has") == set()
