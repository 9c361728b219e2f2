"""Chinese word segmentation; the only file that knows jieba.

rjieba (the same words by compiled code; `pip install linli[fast]`) cuts where it is installed. Otherwise
jieba's dictionary is kept beside our own data in the form in which it loads fastest.
"""

from __future__ import annotations

import contextlib
import logging
import marshal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

Cut = Callable[[str], Iterable[str]]

_lock = threading.Lock()
_cut: Cut | None = None
_folder: Path | None = None


def _load() -> Cut:
    """Whoever cuts, made ready once: a third of a second that nobody should wait for in a turn."""
    global _cut  # noqa: PLW0603 - one dictionary a process
    with _lock:
        if _cut is None:
            _cut = compiled() or plain(_folder)
        return _cut


def compiled() -> Cut | None:
    """rjieba's cut, where it is installed."""
    try:
        import rjieba  # noqa: PLC0415
    except ImportError:
        return None
    cut: Cut = rjieba.cut
    return cut


def plain(folder: Path | None = None) -> Cut:
    """jieba's cut, its dictionary read from `folder` where it was kept there; kept there otherwise."""
    with _unneeded("pkg_resources"):
        import jieba  # noqa: PLC0415
    jieba.setLogLevel(logging.WARNING)
    tokenizer = jieba.dt
    if not tokenizer.initialized:
        kept = folder / f"jieba-{jieba.__version__}-{marshal.version}.words" if folder else None
        words = _read(kept) if kept else None
        if words is None:
            words = tokenizer.gen_pfdict(tokenizer.get_dict_file())
            if kept:
                _keep(kept, words)
        tokenizer.FREQ, tokenizer.total = words
        tokenizer.initialized = True
    cut: Cut = jieba.cut
    return cut


@contextlib.contextmanager
def _unneeded(name: str) -> Iterator[None]:
    """Imports within do without a module that takes long to load and is not needed."""
    before: ModuleType | None = sys.modules.get(name)
    sys.modules[name] = None  # type: ignore[assignment] # how Python marks what cannot be imported
    try:
        yield
    finally:
        if before is None:
            del sys.modules[name]
        else:
            sys.modules[name] = before


def _read(path: Path) -> tuple[dict[str, int], int] | None:
    """The dictionary that was kept; None where there is none, or none that is whole."""
    try:
        words: Any = marshal.loads(path.read_bytes())  # noqa: S302 - written by ourselves, in our own folder
    except (OSError, ValueError, EOFError, TypeError):
        return None
    whole = isinstance(words, tuple) and len(words) == 2 and isinstance(words[0], dict)
    return words if whole else None


def _keep(path: Path, words: tuple[dict[str, int], int]) -> None:
    """Kept whole or not at all; where nothing can be written, the next start takes longer."""
    with contextlib.suppress(OSError), tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        file.write(marshal.dumps(words))
        file.close()
        Path(file.name).replace(path)


def use(cut: Cut) -> None:
    """Cut with this from now on: the models are trained on jieba's own words, whatever is installed."""
    global _cut  # noqa: PLW0603
    _cut = cut


def warm(folder: Path | None = None) -> threading.Thread:
    """Load in the background, the dictionary kept in `folder`; the thread is returned for whoever waits."""
    global _folder  # noqa: PLW0603
    _folder = folder
    thread = threading.Thread(target=_load, name="jieba", daemon=True)
    thread.start()
    return thread


def ready() -> bool:
    return _cut is not None


def cut(text: str) -> list[str]:
    """Words of the text in order; together they are the text. Loads the dictionary where it is not loaded."""
    return [str(word) for word in (_cut or _load())(text)]
