"""Attack classes 3, 4 and 9 in the source: what the linter must refuse, and that it is asked."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
PLACES: Final = (
    "vigilar_core/bus/made_up.py",
    "plugins/vigilar-web/src/vigilar_web/made_up.py",
    "examples/vigilar-hello/src/vigilar_hello/made_up.py",
)
#: Class, rule and the least code that breaks it.
BANNED: Final = {
    "pickle": (4, "TID251", "import pickle\n\nprint_me = pickle.loads\n"),
    "pickle by name": (4, "TID251", "from pickle import loads\n\nuse = loads\n"),
    "marshal": (4, "TID251", "import marshal\n\nuse = marshal.loads\n"),
    "shelve": (4, "TID251", "import shelve\n\nuse = shelve.open\n"),
    "YAML with objects": (4, "TID251", "import yaml\n\nuse = yaml.load\n"),
    "eval": (4, "S307", "use = eval(input())\n"),
    "exec": (4, "S102", "exec(input())\n"),
    "a shell": (
        3,
        "S602",
        "import subprocess\n\nsubprocess.run(input(), shell=True)\n",
    ),
    "os.system": (3, "S605", "import os\n\nos.system(input())\n"),
    "os.popen": (3, "S605", "import os\n\nos.popen(input())\n"),
    "string-built SQL": (9, "S608", 'use = f"SELECT * FROM users WHERE name = {input()!r}"\n'),
    "extracted archives": (5, "S202", "import tarfile\n\ntarfile.open(input()).extractall()\n"),
    "templates unescaped": (10, "S701", "import jinja2\n\nuse = jinja2.Environment()\n"),
    "TLS unverified": (24, "S323", "import ssl\n\nuse = ssl._create_unverified_context()\n"),
}


def lint(place: str, code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--no-cache", "--output-format", "concise",
         "--stdin-filename", place, "-"],
        input=code, capture_output=True, text=True, check=False, cwd=ROOT,
    )  # fmt: skip


@pytest.mark.parametrize("what", BANNED)
def test_classes_3_4_5_9_10_24_code_that_opens_a_door_does_not_pass_the_linter(what: str) -> None:
    _, rule, code = BANNED[what]
    for place in PLACES:
        found = lint(place, code)
        assert found.returncode == 1, (what, place)
        assert f" {rule} " in found.stdout, found.stdout


def test_control_harmless_code_passes() -> None:
    for place in PLACES:
        found = lint(place, "import json\n\nuse = json.loads\n")
        assert found.returncode == 0, found.stdout


def test_nobody_has_taken_the_rules_away() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["ruff"]["lint"]
    left_out = {place: set(rules) for place, rules in settings["per-file-ignores"].items()}
    source = [place for place in left_out if "tests" not in place and "benchmarks" not in place]
    assert source == []
    for path in [*ROOT.glob("plugins/*/pyproject.toml"), *ROOT.glob("examples/*/pyproject.toml")]:
        assert "ruff" not in tomllib.loads(path.read_text()).get("tool", {}), path
    found = set()
    for folder in ("vigilar_core", "plugins", "examples"):
        for path in (ROOT / folder).rglob("*.py"):
            if "tests" not in path.parts:
                rules = re.findall(r"noqa: *([A-Z0-9, ]+)", path.read_text())
                named = {rule.strip() for each in rules for rule in each.split(",")}
                found |= {(path.relative_to(ROOT).as_posix(), rule) for rule in named & RULES}
    assert found <= EXCEPTIONS


RULES: Final = {rule for _, rule, _ in BANNED.values()} | {"S301", "S604", "S606", "S609"}
#: Names of tables cannot be bound; there they are the program's own.
EXCEPTIONS: Final = {("vigilar_core/store/salvage.py", "S608")}
