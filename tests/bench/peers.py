"""What a plain classifier makes of the same lines, where scikit-learn is installed."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from nlp import evaluate, labelled
from nlp.labelled import Line

FOLD = 0
FAMILIES = ("services", "neighbours", "chatter", "followups", "short", "regions", "contrast", "stories")


@dataclass(frozen=True)
class Compared:
    """Shares of right intents on the same lines, none of them taught; microseconds a line, the middle one."""

    lines: int
    ours: float
    ours_private: float
    ours_us: float
    svm: float | None
    svm_private: float | None
    svm_us: float | None


def measure() -> Compared:
    """Both taught the same lines, then asked the same others."""
    corpus = labelled.corpus()
    asked = [line for line in corpus if line.whole and line.fold == FOLD and line.family in FAMILIES]
    private = [line for line in asked if not line.group]
    mind = evaluate.without(FOLD)
    tally, alone = evaluate.measure(mind, asked), evaluate.measure(mind, private)
    middle = sorted(tally.took)[len(tally.took) // 2] * 1e6
    taught = [line for line in corpus if not (line.whole and line.fold == FOLD)]
    guesses, micros = _svm(taught, asked)
    return Compared(
        len(asked),
        tally.accuracy,
        alone.accuracy,
        middle,
        _share(guesses, asked) if guesses else None,
        _share([g for g, line in zip(guesses, asked, strict=True) if not line.group], private)
        if guesses
        else None,
        micros,
    )


def _share(guesses: Sequence[str], lines: Sequence[Line]) -> float:
    return sum(g == line.intent for g, line in zip(guesses, lines, strict=True)) / len(lines)


def _svm(taught: Sequence[Line], asked: Sequence[Line]) -> tuple[list[str], float | None]:
    """Characters, one to four together, weighed by how rare they are, into a linear SVM."""
    try:
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.svm import LinearSVC
    except ImportError:
        return [], None
    vectors = TfidfVectorizer(analyzer="char", ngram_range=(1, 4), min_df=2, sublinear_tf=True)
    model = LinearSVC(C=1.0).fit(
        vectors.fit_transform([_text(line) for line in taught]), [line.intent for line in taught]
    )
    began = time.perf_counter()
    guesses = [str(model.predict(vectors.transform([_text(line)]))[0]) for line in asked]
    return guesses, (time.perf_counter() - began) / len(asked) * 1e6


def _text(line: Line) -> str:
    """The speaker's role and the place are inputs for both."""
    return f"{line.role[0]}{'群' if line.group else ''} {line.text}"
