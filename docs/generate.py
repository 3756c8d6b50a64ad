"""Write the generated pages of this folder and the sample configuration; ``--check`` compares."""

from __future__ import annotations

import sys
from pathlib import Path

from vigilar_core.reference import main

if __name__ == "__main__":
    sys.exit(main([*sys.argv[1:], str(Path(__file__).parents[1])]))
