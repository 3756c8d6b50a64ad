"""``python -m vigilar_core.cli``: for starting from a process whose PATH says nothing."""

from __future__ import annotations

from vigilar_core.cli.root import main

main(prog_name="vigilar")
