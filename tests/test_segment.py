"""Words: jieba's dictionary kept and read again, and the compiled twin that cuts the same."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from nlp import labelled, segment


def test_the_compiled_twin_cuts_the_same_words() -> None:
    plain, compiled = segment.plain(), segment.compiled()
    assert compiled is not None, "rjieba is among the development packages"
    lines = [line.text for line in labelled.corpus()[::20]]
    same = sum(list(plain(text)) == list(compiled(text)) for text in lines)
    assert len(lines) > 2000
    assert same >= 0.995 * len(lines)


def cut_in_a_process_of_its_own(folder: Path) -> str:
    script = (
        "import sys; from pathlib import Path; from nlp import segment;"
        "print('/'.join(segment.plain(Path(sys.argv[1]))('楼道的灯不亮了')), 'pkg_resources' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(folder)], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@pytest.mark.parametrize("content", [None, b"", b"not a dictionary", b"\x00" * 100])
def test_the_dictionary_is_kept_beside_our_data(tmp_path: Path, content: bytes | None) -> None:
    first = cut_in_a_process_of_its_own(tmp_path)
    (kept,) = tmp_path.glob("jieba-*.words")
    size = kept.stat().st_size
    if content is not None:  # a disk that broke: made anew
        kept.write_bytes(content)
    assert cut_in_a_process_of_its_own(tmp_path) == first == "楼道/的/灯不亮/了 False"
    assert kept.stat().st_size == size


def test_where_nothing_can_be_written_it_still_cuts(tmp_path: Path) -> None:
    assert cut_in_a_process_of_its_own(tmp_path / "missing") == "楼道/的/灯不亮/了 False"
