from __future__ import annotations

import hashlib
import re
import tomllib
from pathlib import Path

import pytest

import vigilar_web
from vigilar_web import household
from vigilar_web.pages import PARTS

ROOT = Path(vigilar_web.__file__).parent
VENDOR = ROOT / "static" / "vendor"
LISTED = {
    each["name"]: each for each in tomllib.loads((VENDOR / "vendor.toml").read_text())["file"]
}
OWN_FILES = [
    *(ROOT / "templates").rglob("*.html"),
    *(path for path in (ROOT / "static").glob("*") if path.is_file()),
]


def test_every_vendored_file_is_listed() -> None:
    unlisted = {
        path.name
        for path in VENDOR.iterdir()
        if not path.name.startswith(("vendor.", "VENDORED", "LICENSE"))
    }
    assert unlisted == set(LISTED)


@pytest.mark.parametrize("name", sorted(LISTED))
def test_vendored_files_are_what_the_list_says(name: str) -> None:
    listed = LISTED[name]
    assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == listed["sha256"]
    assert {"package", "version", "license"} <= set(listed)
    assert (VENDOR / listed["license_file"]).is_file()


@pytest.mark.parametrize("path", OWN_FILES, ids=lambda path: path.name)
def test_no_page_refers_to_another_host(path: Path) -> None:
    text = path.read_text().replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"""(https?:)?//[a-z0-9-]+\.[a-z]""", text, re.I)


@pytest.mark.parametrize(
    "path", sorted((ROOT / "templates").rglob("*.html")), ids=lambda path: path.name
)
def test_no_page_carries_inline_script_or_style(path: Path) -> None:
    text = path.read_text()
    assert not re.search(
        r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|javascript:", text, re.I
    )


def test_every_icon_that_is_used_is_there() -> None:
    there = set(re.findall(r'<symbol id="([^"]+)"', (VENDOR / "icons.svg").read_text()))
    text = "".join(path.read_text() for path in (ROOT / "templates").rglob("*.html"))
    used = set(re.findall(r'icon\("([a-z0-9-]+)"', text)) | {name for _, name in household._ICONS}
    used |= set(household._BY_SEVERITY.values())
    used |= {entry.icon for part in PARTS for entry in part.navigation}
    assert used <= there
