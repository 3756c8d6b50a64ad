from __future__ import annotations

import itertools
import os

from hypothesis import given
from hypothesis import strategies as st

from vigilar_core.runtime.children import LONGEST_LINE, Output


def read_all(pieces: list[bytes]) -> list[str]:
    reading, writing = os.pipe()
    output, found = Output(reading), []
    for piece in pieces:
        os.write(writing, piece)
        found += output.lines()
    os.close(writing)
    return found + output.close()


lines = st.lists(st.text("abc äß", min_size=1, max_size=50).filter(str.strip), max_size=20)


@given(lines, st.data())
def test_lines_come_out_as_they_went_in_however_they_are_cut(
    wanted: list[str], data: st.DataObject
) -> None:
    content = "".join(f"{line}\n" for line in wanted).encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(content)), max_size=6)))
    bounds = [0, *cuts, len(content)]
    pieces = [content[a:b] for a, b in itertools.pairwise(bounds)]
    assert read_all(pieces) == wanted


def test_a_last_line_without_its_end_is_not_lost() -> None:
    assert read_all([b"one\ntw", b"o"]) == ["one", "two"]


def test_a_line_without_end_is_cut_instead_of_kept_for_ever() -> None:
    found = read_all([b"x" * (LONGEST_LINE + 10), b"y\n"])
    assert len(found) == 2
    assert "".join(found) == "x" * (LONGEST_LINE + 10) + "y"


def test_bytes_that_are_no_text_are_shown_as_such() -> None:
    assert read_all([b"\xff\xfe\n"]) == ["��"]


def test_the_end_of_output_is_noticed() -> None:
    reading, writing = os.pipe()
    output = Output(reading)
    assert (output.lines(), output.ended) == ([], False)
    os.close(writing)
    assert (output.lines(), output.ended) == ([], True)
    output.close()
