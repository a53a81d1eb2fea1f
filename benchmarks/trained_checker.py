"""Whether a small trained checker beats the rules: ``python -m benchmarks.trained_checker``.

The checker is trained on the answers of the training companies, each with its passage, unchanged
and with one defect: another figure of the passage, a negation added or removed, or the passage of
another article. Its features come from an encoder and from the words that claim and nearest
sentence share. Both judge the labelled pairs (``tuning/data/grounding_pairs.yml``), the trained
checker at the threshold at which it passes as many supported claims as the rules do.
"""

import argparse
import random
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

DATA = Path(__file__).parent.parent / "tuning" / "data" / "grounding_pairs.yml"
NOT = {"en": (" not ", " is ", " are ", " can "), "zh": ("不", "可以", "能", "会")}
FIGURE = re.compile(r"\d+(?:[.,]\d+)*")
Pair = tuple[str, str, str, bool]


def main() -> None:
    """Print the table."""
    argparse.ArgumentParser(
        prog="python -m benchmarks.trained_checker",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Example: python -m benchmarks.trained_checker",
    ).parse_args()
    import yaml
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    from knowledge.models.model_files import open_embedder
    from tuning.companies import load_companies

    embedder = open_embedder(None, Path("var"))
    draw = random.Random(0)
    taught = [pair for c in load_companies("train") for pair in _made(c, draw)]
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.03, max_iter=2000))
    model.fit(_features(taught, embedder), [supported for *_, supported in taught])
    print(f"{len(taught)} claims to learn from")
    print("| language | claims | rules stop | trained stops | AUROC of the trained |")
    print("| --- | --- | --- | --- | --- |")
    entries = yaml.safe_load(DATA.read_text(encoding="utf-8"))
    for lang in ("en", "zh"):
        judged = [
            (lang, e["passage"], claim, wanted)
            for e in entries
            for wanted in (True, False)
            for claim in e["supported" if wanted else "unsupported"]
            if e["lang"] == lang
        ]
        truth = np.array([wanted for *_, wanted in judged])
        said = model.predict_proba(_features(judged, embedder))[:, 1]
        rules = np.array([_passes(pair) for pair in judged])
        least = np.quantile(said[truth], 1 - rules[truth].mean())
        stops = (~rules[~truth]).mean(), (said[~truth] < least).mean()
        area = roc_auc_score(truth, said)
        print(f"| {lang} | {len(judged)} | {stops[0]:.0%} | {stops[1]:.0%} | {area:.2f} |")


def _made(company: Any, draw: random.Random) -> Iterator[Pair]:
    """Yield each answer with its article, unchanged and with a defect."""
    texts = {article.id: article.text for article in company.articles}
    for pair in company.pairs:
        if not pair.answer:
            continue
        text, lang = texts[pair.article], company.lang
        yield lang, text, pair.answer, True
        other = draw.choice([t for t in texts.values() if t != text])
        yield lang, other, pair.answer, False
        if spoilt := _other_figure(pair.answer, text, draw) or _turned(pair.answer, lang):
            yield lang, text, spoilt, False


def _other_figure(answer: str, text: str, draw: random.Random) -> str:
    own = FIGURE.findall(answer)
    others = sorted(set(FIGURE.findall(text)) - set(own))
    if not own or not others:
        return ""
    return answer.replace(draw.choice(own), draw.choice(others), 1)


def _turned(answer: str, lang: str) -> str:
    """Return an answer with a negation removed or added; empty if neither is possible."""
    no, *verbs = NOT[lang]
    if no in answer:
        return answer.replace(no, " " if lang == "en" else "", 1)
    for verb in verbs:
        if verb in answer:
            there = f"{verb}not " if lang == "en" else f"{no}{verb}"
            return answer.replace(verb, there, 1)
    return ""


def _passes(pair: Pair) -> bool:
    from assistant.grounding.grounder import Grounder
    from knowledge.documents import Hit, Passage

    lang, text, claim, _ = pair
    passage = Passage("a", lang, "", "", text, 0, len(text))  # type: ignore[arg-type]
    return bool(Grounder().check(claim, [Hit(passage, 1.0)]))


def _features(pairs: Sequence[Pair], embedder: Any) -> np.ndarray:
    """Return cosine, shared words and figures, and the vectors of claim and nearest sentence."""
    from assistant.grounding.grounder import figures
    from knowledge.segmenter import sentences, words

    parts = [[span.of(text) for span in sentences(text, lang)] for lang, text, *_ in pairs]
    known = sorted({part for listed in parts for part in listed} | {p[2] for p in pairs})
    vectors = dict(zip(known, embedder.encode_passages(known), strict=True))
    rows = []
    for (lang, _, claim, _), listed in zip(pairs, parts, strict=True):
        mine = vectors[claim]
        near = max(listed, key=lambda part: float(vectors[part] @ mine))
        own, held = set(words(claim)), set(words(near))
        no = NOT[lang][0].strip()
        rows.append(
            [
                float(vectors[near] @ mine),
                len(own & held) / max(1, len(own)),
                len(figures(claim) - figures(near)),
                len(figures(claim) & figures(near)),
                claim.count(no) - near.count(no),
                *(vectors[near] * mine),
                *np.abs(vectors[near] - mine),
            ]
        )
    return np.array(rows)


if __name__ == "__main__":
    main()
