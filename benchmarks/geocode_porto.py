"""
Search by name on Porto: what is typed letter by letter, with and without typos.

    python benchmarks/geocode_porto.py        # writes benchmarks/results/geocode_porto.json

In process, one thread, ten matches near the centre, without the way over HTTP. 200 seeded names of
stops, streets and places are typed as people do: 1, 2, 3 … letters, whole, abbreviated, and with
two letters swapped. Found: the name is among the ten matches of what was typed whole.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.recorded import build_porto, record
from core.geo import Coordinate
from routing.place_words import folded_words
from routing.places import Places

NAMES = 200
CENTRE = Coordinate(41.1496, -8.6110)
SHORT = {"rua": "r", "avenida": "av", "travessa": "tv", "hospital": "hosp", "santa": "sta"}


def swapped(text: str, rng: np.random.Generator) -> str:
    """Text with two neighbouring letters of its longest word the wrong way round."""
    word = max(text.split(), key=len)
    if len(word) < 5:
        return text
    i = int(rng.integers(1, len(word) - 2))
    return text.replace(word, word[:i] + word[i + 1] + word[i] + word[i + 2 :], 1)


def main() -> None:
    snapshot = build_porto()
    places = Places(snapshot.folder / "places")
    rng = np.random.default_rng(7)
    every = sorted(set(places.names))
    names = [every[i] for i in rng.choice(len(every), NAMES, replace=False)]
    whole = [" ".join(folded_words(name)) for name in names]
    typed = {
        "begun": [text[:n] for text in whole for n in range(1, len(text))],
        "whole": whole,
        "abbreviated": [" ".join(SHORT.get(w, w) for w in text.split()) for text in whole],
        "two letters swapped": [swapped(text, rng) for text in whole],
    }
    result: dict[str, Any] = {"names": len(places.names)}
    for kind, texts in typed.items():
        times, found = [], 0
        for i, text in enumerate(texts):
            began = time.perf_counter()
            matches = places.search(text, near=CENTRE)
            times.append((time.perf_counter() - began) * 1000)
            found += len(texts) == NAMES and names[i] in {match.name for match in matches}
        p50, p95 = np.percentile(times, [50, 95])
        result[kind] = {"p50_ms": round(float(p50), 2), "p95_ms": round(float(p95), 2)}
        if len(texts) == NAMES:
            result[kind]["found"] = found / NAMES
        print(kind, result[kind])
    record("geocode_porto", result)


if __name__ == "__main__":
    main()
