"""Chinese word segmentation; the only file that knows jieba."""

from __future__ import annotations

import logging
import threading
import warnings
from types import ModuleType

_lock = threading.Lock()
_jieba: ModuleType | None = None


def _load() -> ModuleType:
    """Import jieba and read its dictionary once: half a second that nobody should wait for in a turn."""
    global _jieba  # noqa: PLW0603 - one dictionary a process
    with _lock:
        if _jieba is None:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # its use of pkg_resources is deprecated; not ours to fix
                import jieba  # noqa: PLC0415

                jieba.setLogLevel(logging.WARNING)
                jieba.initialize()
            _jieba = jieba
        return _jieba


def warm() -> threading.Thread:
    """Load the dictionary in the background; the thread is returned for whoever wants to join it."""
    thread = threading.Thread(target=_load, name="jieba", daemon=True)
    thread.start()
    return thread


def ready() -> bool:
    return _jieba is not None


def cut(text: str) -> list[str]:
    """Words of the text in order; together they are the text. Loads the dictionary where it is not loaded."""
    return [str(word) for word in _load().cut(text)]
