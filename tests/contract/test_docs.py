"""What the pages say is true: links, commands, options, configurations, samples."""

from __future__ import annotations

import re
import shlex
import subprocess
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import click
import pytest

from vigilar_core.cli.root import main
from vigilar_core.plugins import Plan, build_plan
from vigilar_core.plugins.scaffold import write_project

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    path
    for path in ROOT.rglob("*.md")
    if not any(part.startswith(".") or part == "node_modules" for part in path.parts[1:])
    and "dist" not in path.relative_to(ROOT).parts
)
#: Those that belong to no package.
OWN = [page for page in PAGES if page.parent == ROOT or page.is_relative_to(ROOT / "docs")]
#: Hosts that a page may name: this machine, private addresses, names that exist in no public zone.
OUR_HOSTS = re.compile(
    r"localhost|the-machine|camera|host|127\.\d+\.\d+\.\d+|10\.\d+\.\d+\.\d+|192\.168\.\d+\.\d+"
    r"|\[::1\]|[\w.-]+\.(lan|local|example|invalid)"
)
ROOT_FILES = {path.name for path in ROOT.iterdir()}
_ADDRESS = re.compile(r"\b[a-z][a-z0-9+.-]*://(?:[^\s/@\"'`<>]*@)?(\[[^\]]*\]|[^\s:/\"'`<>)…|]*)")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_FENCE = re.compile(
    r"(?:^<!-- (?P<note>[^\n]+?) -->\n)?^(?P<indent> *)```(?P<language>\w*)\n(?P<text>.*?)^ *```$",
    re.MULTILINE | re.DOTALL,
)
_INLINE = re.compile(r"`(vigilar [a-z][^`]*)`")


@cache
def plan() -> Plan:
    """Of an empty configuration: what is installed and declared."""
    return build_plan({})


@dataclass(frozen=True)
class Fence:
    """A block of code on a page, and the remark that stands directly above it."""

    page: Path
    line: int
    language: str
    text: str
    note: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def fences(language: str) -> list[Fence]:
    return [fence for page in PAGES for fence in _fences(page) if fence.language == language]


def _fences(page: Path) -> Iterator[Fence]:
    text = page.read_text()
    for match in _FENCE.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        inner = re.sub(rf"^{match['indent']}", "", match["text"], flags=re.MULTILINE)
        yield Fence(page, line, match["language"], inner, match["note"] or "")


def prose(page: Path) -> str:
    return _FENCE.sub("", page.read_text())


# ------------------------------------------------------------------ links and hosts


def anchors(page: Path) -> set[str]:
    """The anchors that headings get: lower case, punctuation gone, spaces as hyphens."""
    heads = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def broken_links(page: Path) -> Iterator[str]:
    for target in _LINK.findall(prose(page)):
        name, _, anchor = target.partition("#")
        if "://" in target:
            continue  # test_no_page_names_a_host_outside
        there = (page.parent / name).resolve() if name else page
        if not there.exists() or (anchor and anchor not in anchors(there)):
            yield target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    assert list(broken_links(page)) == []


def test_a_broken_link_would_be_found(tmp_path: Path) -> None:
    page = tmp_path / "a.md"
    page.write_text("# One thing\n[b](b.md) [c](#one-thing) [d](#two) [e](a.md#one-thing)\n")
    assert list(broken_links(page)) == ["b.md", "#two"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_page_names_a_host_outside(page: Path) -> None:
    hosts = {match[1] for match in _ADDRESS.finditer(page.read_text())}
    assert [host for host in hosts if host and not OUR_HOSTS.fullmatch(host)] == []


def test_every_page_is_reached_from_the_first_one() -> None:
    start = ROOT / "docs" / "README.md"
    reached, waiting = set(), [start]
    while waiting:
        page = waiting.pop()
        if page in reached or not page.exists():
            continue
        reached.add(page)
        names = (target.partition("#")[0] for target in _LINK.findall(page.read_text()))
        waiting += [(page.parent / name).resolve() for name in names if name.endswith(".md")]
    pages = {page for page in PAGES if page.is_relative_to(ROOT / "docs")}
    assert sorted(str(page.relative_to(ROOT)) for page in pages - reached) == []


# ------------------------------------------------------------------------- commands


def command_lines(text: str) -> Iterator[list[str]]:
    """The words behind ``vigilar`` of each command in a piece of shell."""
    for line in re.sub(r"\\\n", " ", text).splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;()<>")
        lexer.whitespace_split = True
        words: list[str] = []
        for token in [*lexer, ";"]:
            if re.fullmatch(r"[|&;()<>]+", token):
                yield from _behind_vigilar(words)
                words = []
            else:
                words.append(token)


def _behind_vigilar(words: list[str]) -> Iterator[list[str]]:
    for index, word in enumerate(words):
        prefix_is_harmless = all(
            "=" in each or each in ("sudo", "timeout", "exec") for each in words[:index]
        )
        if (word == "vigilar" or word.endswith("/vigilar")) and prefix_is_harmless:
            yield words[index + 1 :]
            return


def parse(words: list[str]) -> None:
    """Let click itself read a command line, without running anything.

    :raises click.UsageError: it is wrong
    """
    command: click.Command = main
    name, context = "vigilar", None
    while isinstance(command, click.Group):
        if words[:1] == ["--version"]:
            return
        context = click.Context(command, info_name=name, parent=context)
        found, inner, words = command.resolve_command(context, words)
        assert inner is not None
        command, name = inner, found or ""
    command.make_context(name, list(words), parent=context)


@pytest.mark.parametrize("fence", fences("sh"), ids=str)
def test_every_command_of_a_page_exists_with_its_options(fence: Fence) -> None:
    for words in command_lines(fence.text):
        try:
            parse(words)
        except click.UsageError as error:
            pytest.fail(f"{fence}: vigilar {' '.join(words)}: {error.format_message()}")


@pytest.mark.parametrize(
    "line",
    ["vigilar recordings list --colour", "vigilar conf validate", "~/v/bin/vigilar db repair",
     "head x | vigilar recordings export 1", "A=1 vigilar start --only"],
)  # fmt: skip
def test_a_wrong_command_would_be_found(line: str) -> None:
    ((words),) = command_lines(line)
    with pytest.raises(click.UsageError):
        parse(words)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_named_in_a_sentence_exist(page: Path) -> None:
    wrong = [text for text in _INLINE.findall(prose(page)) if not _is_named_right(text)]
    assert wrong == []


def _is_named_right(text: str) -> bool:
    """Arguments may be left out in a sentence; words and options must exist."""
    command: click.Command | None = main
    context = click.Context(main, info_name="vigilar")
    for word in text.replace("|", " ").split()[1:]:
        if word.startswith("--"):
            names = {name for each in command.params for name in each.opts} if command else set()
            if word.partition("=")[0] not in names | {"--help", "--version"}:
                return False
        elif isinstance(command, click.Group) and word not in ("…", "NAME"):
            command = command.get_command(context, word)
            if command is None:
                return False
            context = click.Context(command, info_name=word, parent=context)
    return True


@pytest.mark.parametrize("page", OWN, ids=lambda page: str(page.relative_to(ROOT)))
def test_files_and_tests_named_on_a_page_exist(page: Path) -> None:
    named = re.findall(r"`([\w/.-]+\.py)(?:::(\w+))?`", prose(page))
    wrong = [f"{path}::{test}" for path, test in named if not _is_there(path, test, page.parent)]
    assert wrong == []


def _is_there(path: str, test: str, beside: Path) -> bool:
    """The file, and the test in it; a bare file name may lie anywhere in the sources."""
    if "/" not in path:
        places = ("*", "docs/*", "vigilar_core/**", "plugins/*/**", "examples/*/**", "tests/**")
        return any(any(ROOT.glob(f"{place}/{path}")) for place in places) or path in ROOT_FILES
    files = [folder / path for folder in (ROOT, beside) if (folder / path).is_file()]
    return bool(files) and (not test or f"def {test}(" in files[0].read_text())


@pytest.mark.parametrize("page", OWN, ids=lambda page: str(page.relative_to(ROOT)))
def test_kinds_of_event_that_a_page_asks_for_exist(page: Path) -> None:
    known = {kind.name for kind in plan().event_kinds}
    asked = set(re.findall(r"--kind ([a-z_]+)", page.read_text()))
    assert asked <= known


# -------------------------------------------------------------------- configuration


def complete(tables: dict[str, Any], folder: Path) -> dict[str, Any]:
    """A part of a configuration made whole: a source for each camera, a file for each secret."""
    for camera in tables.get("cameras", ()):
        camera.setdefault("rtsp_url", "demo:")
    secrets = folder / "secrets"
    secrets.mkdir()
    for name in set(re.findall(r"'secret': '([^']+)'", str(tables))):
        value = "postgresql://vigilar@localhost/vigilar" if name == "database_url" else "words"
        if name.endswith("_url") and name != "database_url":
            value = "rtsp://user:password@10.0.0.21/stream1"
        path = secrets / name
        path.touch(mode=0o600)
        path.write_text(value)
    tables.setdefault("system", {})["secrets_dir"] = str(secrets)
    return tables


def own_configuration(fence: Fence) -> bool:
    """Not a sample out of a file, nor the section of a plugin that a reader has yet to write."""
    return not fence.note.startswith(("from ", "configuration of "))


@pytest.mark.parametrize(
    "fence", [each for each in fences("toml") if own_configuration(each)], ids=str
)
def test_every_configuration_of_a_page_can_be_used(fence: Fence, tmp_path: Path) -> None:
    found = build_plan(complete(tomllib.loads(fence.text), tmp_path))
    assert list(map(str, found.problems)) == []
    assert [str(each) for each in found.warnings if "secret" not in str(each)] == []


def test_a_wrong_configuration_would_be_found(tmp_path: Path) -> None:
    text = '[[cameras]]\nid = "a"\nretention_day = 3\nidle_fps = 99\n'
    found = build_plan(complete(tomllib.loads(text), tmp_path))
    assert {problem.path for problem in found.problems} == {
        "cameras.a.retention_day",
        "cameras.a.idle_fps",
    }


def test_keys_named_beside_a_section_exist() -> None:
    """In sentences a key is named as ``[section] key``."""
    known: dict[str, set[str]] = {section.path: set() for section in plan().sections}
    for section in plan().sections:
        known[section.path] |= section.keys.keys()
    wrong = [
        f"{page.relative_to(ROOT)}: [{path}] {key}"
        for page in PAGES
        for path, key in re.findall(r"`\[([a-z_]+)\] ([a-z_]+)`", prose(page))
        if key not in known.get(path, ())
    ]
    assert wrong == []


# -------------------------------------------------------------------------- samples


@pytest.fixture(scope="module")
def door_bell(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project that ``vigilar plugins new door-bell`` writes."""
    return write_project("door-bell", tmp_path_factory.mktemp("project"))


SAMPLES = [fence for language in ("python", "toml") for fence in fences(language)]
SAMPLES = [fence for fence in SAMPLES if fence.note.startswith("from ")]


@pytest.mark.parametrize("fence", SAMPLES, ids=str)
def test_a_sample_is_cut_from_a_file_that_tests_run(fence: Fence, door_bell: Path) -> None:
    name = fence.note.removeprefix("from ")
    if name.startswith("project door-bell: "):
        source = door_bell / name.removeprefix("project door-bell: ")
    else:
        source = ROOT / name
    assert fence.text in source.read_text()


def test_the_first_plugin_is_made_of_samples() -> None:
    page = ROOT / "docs" / "tutorial" / "first-plugin.md"
    loose = [fence for fence in _fences(page) if fence.language == "python" and not fence.note]
    assert loose == []
    assert len([fence for fence in SAMPLES if fence.page == page]) > 5


def test_the_first_camera_can_be_followed(tmp_path: Path) -> None:
    """Secrets and configuration as the tutorial writes them, in a home of their own."""
    page = ROOT / "docs" / "tutorial" / "first-camera.md"
    steps = [fence.text for fence in _fences(page) if fence.language == "sh"]
    wanted = ("(umask 077;", "cat > ~/vigilar/vigilar.toml")
    script = "mkdir -p ~/vigilar/secrets\n" + "".join(
        step for step in steps if step.startswith(wanted)
    )
    script += "cat ~/vigilar/vigilar.toml\n"
    done = subprocess.run(
        ["bash", "-euc", script],
        env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    found = build_plan(tomllib.loads(done.stdout))
    assert (found.problems, found.warnings) == ((), ())
    assert [service.name for service in found.services if service.inline] == ["camera:front_door"]
    key = tmp_path / "vigilar" / "secrets" / "storage.key"
    assert (key.stat().st_size, key.stat().st_mode & 0o077) == (32, 0)
