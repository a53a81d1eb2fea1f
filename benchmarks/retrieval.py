"""Vector search at 10⁴, 10⁵ and 10⁶ passages: ``python -m benchmarks.retrieval``.

Uses real vectors of the texts of XQuAD, CLINC150 and BANKING77 as far as they go, then synthetic
ones: a real vector, moved along the difference of two others. Each size runs in a process of its
own. Its memory is that of the whole process with the index, without the vectors that the index was
built from.
"""

import argparse
import gc
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from knowledge.models.embedder import Vectors

SIZES = (10_000, 100_000, 1_000_000)
QUERIES = 300
TOP = 10
# How far a synthetic vector lies from its real one.
SPREAD = 0.4
BLOCK = 50_000


def main() -> int:
    """Print the table; return 2 if the public data is missing."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.retrieval",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Example: FRONTDESK_DATA=~/data python -m benchmarks.retrieval --sizes 10000 100000",
    )
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="default: %(default)s")
    parser.add_argument("--state", type=Path, default=Path("var"), help="default: %(default)s")
    parser.add_argument(
        "--real", type=int, default=12_000, help="the number of real vectors; default: %(default)s"
    )
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    try:
        real = _real_vectors(given.state, given.real)
    except FileNotFoundError as error:
        print(f"retrieval: {error}", file=sys.stderr)
        return 2
    if given.one:
        print(json.dumps(_measure(real, given.one)))
        return 0
    print("| passages | build s | memory MB | p50 ms | p95 ms | recall@10 |")
    print("| --- | --- | --- | --- | --- | --- |")
    for size in given.sizes:
        command = [sys.executable, "-m", "benchmarks.retrieval", "--one", str(size)]
        command += ["--state", str(given.state), "--real", str(given.real)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
        row = json.loads(done.stdout.splitlines()[-1])
        print(
            f"| {size:,} | {row['build']:.0f} | {row['memory']:.0f} | {row['p50']:.2f} | "
            f"{row['p95']:.2f} | {row['recall']:.3f} |",
            flush=True,
        )
    return 0


def _real_vectors(state: Path, count: int) -> Vectors:
    """Return the vectors of real texts; encoding takes minutes, so they are cached."""
    kept = state / "benchmarks" / f"vectors-{count}.npy"
    if kept.is_file():
        return np.asarray(np.load(kept), dtype=np.float32)
    from knowledge.models.model_files import open_frozen_embedder
    from knowledge.segmenter import sentences
    from tuning.public_data import banking77, clinc150, xquad

    texts = []
    for lang in ("en", "zh"):
        passages, asked = xquad(lang)
        texts += [s.of(text) for text in passages.values() for s in sentences(text, lang)]
        texts += [question for question, _ in asked]
    texts += [text for text, _ in clinc150("train")] + [text for text, _ in banking77("train")]
    chosen = np.random.default_rng(0).permutation(len(texts))[:count]
    vectors = open_frozen_embedder(state).encode_passages([texts[n] for n in chosen])
    kept.parent.mkdir(parents=True, exist_ok=True)
    np.save(kept, vectors)
    return vectors


def _drawn(real: Vectors, count: int, seed: int) -> Vectors:
    random = np.random.default_rng(seed)
    vectors = np.empty((count, real.shape[1]), dtype=np.float32)
    for start in range(0, count, BLOCK):
        size = min(BLOCK, count - start)
        base, one, other = (real[random.integers(len(real), size=size)] for _ in range(3))
        some = base + SPREAD * (one - other)
        vectors[start : start + size] = some / np.linalg.norm(some, axis=1, keepdims=True)
    return vectors


def _measure(real: Vectors, count: int) -> dict[str, Any]:
    import psutil

    from knowledge.retrieval.faiss_index import FaissIndex

    vectors = real[:count] if count <= len(real) else _drawn(real, count, seed=1)
    queries = _drawn(real, QUERIES, seed=2)
    exact = _exact(vectors, queries)
    start = time.perf_counter()
    index = FaissIndex.build(vectors)
    build = time.perf_counter() - start
    del vectors
    gc.collect()
    memory = psutil.Process().memory_info().rss / 1e6
    times, found = [], 0
    for query, right in zip(queries, exact, strict=True):
        start = time.perf_counter()
        rows = index.search(query, TOP, range(count))
        times.append((time.perf_counter() - start) * 1000)
        found += len(right & set(rows.tolist()))
    p50, p95 = np.percentile(times, [50, 95])
    recall = found / (TOP * len(queries))
    return {"build": build, "memory": memory, "p50": p50, "p95": p95, "recall": recall}


def _exact(vectors: Vectors, queries: Vectors) -> list[set[int]]:
    best = np.full((len(queries), TOP), -2.0, dtype=np.float32)
    rows = np.zeros((len(queries), TOP), dtype=np.int64)
    for start in range(0, len(vectors), BLOCK):
        scores = queries @ vectors[start : start + BLOCK].T
        some = np.argpartition(-scores, TOP, axis=1)[:, :TOP]
        both = np.concatenate([best, np.take_along_axis(scores, some, axis=1)], axis=1)
        named = np.concatenate([rows, some + start], axis=1)
        order = np.argsort(-both, axis=1)[:, :TOP]
        best = np.take_along_axis(both, order, axis=1)
        rows = np.take_along_axis(named, order, axis=1)
    return [set(row.tolist()) for row in rows]


if __name__ == "__main__":
    sys.exit(main())
