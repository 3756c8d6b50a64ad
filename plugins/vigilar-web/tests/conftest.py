from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from web_house import House


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)
