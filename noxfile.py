"""Every verb of the project. ``nox`` alone runs what a change must pass; ``nox -l`` lists all.

Sessions run in the environment that started nox, except ``installed`` and ``minimum``,
which make their own to prove what a user gets.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import nox

nox.needs_version = ">=2025.2"
nox.options.default_venv_backend = "none"
nox.options.sessions = ["lint", "types", "contracts", "docs", "tests", "installed"]

ROOT = Path(__file__).parent
PACKAGES = sorted(path.parent for path in ROOT.glob("plugins/*/pyproject.toml"))
EXAMPLES = sorted(path.parent for path in ROOT.glob("examples/*/pyproject.toml"))
PYTHON = sys.executable


def run(session: nox.Session, module: str, *arguments: str | os.PathLike[str]) -> None:
    """Run a module with the interpreter that runs nox, whatever PATH says."""
    session.run(PYTHON, "-m", module, *map(str, arguments), external=True)


@nox.session
def lint(session: nox.Session) -> None:
    """Style and smells: ruff, shellcheck."""
    run(session, "ruff", "check", ".")
    run(session, "ruff", "format", "--check", ".")
    scripts = [path for path in (ROOT / "scripts").iterdir() if path.suffix in ("", ".sh")]
    session.run("shellcheck", "-x", *map(str, scripts), external=True)


@nox.session
def types(session: nox.Session) -> None:
    """mypy, strict, over the core, each plugin and the examples."""
    sources = [path / "src" for path in (*PACKAGES, *EXAMPLES)]
    run(session, "mypy", "vigilar_core", *sources)


@nox.session
def contracts(session: nox.Session) -> None:
    """Who may import whom: the core no capability, a plugin only the core."""
    session.run(str(Path(PYTHON).with_name("lint-imports")), external=True)


@nox.session
def docs(session: nox.Session) -> None:
    """Write the generated pages again (``nox -s docs -- --check`` only compares)."""
    check = session.posargs or (["--check"] if os.environ.get("CI") else [])
    session.run(PYTHON, str(ROOT / "docs" / "generate.py"), *check, external=True)


@nox.session
def tests(session: nox.Session) -> None:
    """All tests, or those named: ``nox -s tests -- tests/unit -k spool``."""
    run(session, "pytest", *(session.posargs or ["-n", "2", "--dist", "loadfile"]))


@nox.session
def plugin(session: nox.Session) -> None:
    """Tests of one plugin alone: ``nox -s plugin -- motion``."""
    (name,) = session.posargs
    run(session, "pytest", ROOT / "plugins" / f"vigilar-{name}" / "tests")


@nox.session
def torture(session: nox.Session) -> None:
    """The long runs of the fault tests: a thousand kills instead of fifty."""
    run(session, "pytest", "-m", "torture", "--timeout", "7200", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """Measure the targets, as ratios in one run; ``-- NAME`` for one of them."""
    run(session, "benchmarks", *session.posargs)


@nox.session
def wheels(session: nox.Session) -> None:
    """Build the wheels of all packages into ``dist/``."""
    for package in (ROOT, *PACKAGES):
        run(session, "build", "--wheel", "--no-isolation", "--outdir", ROOT / "dist", package)


@nox.session(venv_backend="venv")
def installed(session: nox.Session) -> None:
    """``vigilar[all]`` from wheels into a clean environment, run from elsewhere."""
    with tempfile.TemporaryDirectory() as folder:
        for package in (ROOT, *PACKAGES):
            arguments = ["--wheel", "--no-isolation", "--outdir", folder, str(package)]
            session.run(PYTHON, "-m", "build", *arguments, external=True, silent=True)
        session.install("--find-links", folder, "--require-hashes", "-r", "constraints.txt")
        session.install("--no-index", "--find-links", folder, "--no-deps", *names())
        with session.chdir(folder):
            session.run("vigilar", "--version")
            session.run("vigilar", "plugins", "list")
            session.run("vigilar", "plugins", "check", "--all")


@nox.session(venv_backend="venv")
def minimum(session: nox.Session) -> None:
    """The oldest versions that the packages declare still pass the unit tests."""
    session.install("uv")
    editable = [part for path in (ROOT, *PACKAGES) for part in ("-e", str(path))]
    target = ["--python", f"{session.virtualenv.location}/bin/python"]
    session.run("uv", "pip", "install", *target, "--resolution", "lowest-direct", *editable)
    session.run("uv", "pip", "install", *target, "--group", "dev")
    session.run("python", "-m", "pytest", "tests/unit")


@nox.session(venv_backend="venv")
def pin(session: nox.Session) -> None:
    """Write the pinned versions and hashes of everything again."""
    session.install("uv")
    sources = [str(path / "pyproject.toml") for path in (ROOT, *PACKAGES)]
    common = [
        "uv", "pip", "compile", "--universal", "--python-version", "3.11", "--generate-hashes",
        "--no-emit-index-url", "--no-header", "--no-annotate", "--quiet", "--all-extras",
        "--upgrade", *(part for name in names() for part in ("--no-emit-package", name)),
    ]  # fmt: skip
    build = ROOT / "scripts" / "build-requirements.txt"
    session.run(*common, *sources, str(build), "-o", "constraints.txt")
    session.run(*common, *sources, str(build), "--group", "dev", "-o", "constraints-test.txt")


def names() -> list[str]:
    """Distribution names of the project's own packages."""
    return ["vigilar", *(path.name for path in PACKAGES)]
