"""How well the grounding check detects unsupported claims: ``python -m benchmarks.grounding``.

Judges the pairs of passage and claim in ``tuning/data/grounding_pairs.yml``, in English and
Chinese. An unsupported claim that passes could cost a customer money; a supported claim that is
dropped only shortens the answer.
"""

import argparse
import time
from pathlib import Path

DATA = Path(__file__).parent.parent / "tuning" / "data" / "grounding_pairs.yml"


def main() -> None:
    """Print the table and, with ``--failures``, each claim that is judged wrongly."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.grounding",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Example: python -m benchmarks.grounding --failures",
    )
    parser.add_argument(
        "--failures", action="store_true", help="list the claims that are judged wrongly"
    )
    given = parser.parse_args()
    import yaml

    from assistant.grounding.grounder import Grounder
    from knowledge.documents import Hit, Passage

    check = Grounder().check
    print("| language | supported passed | unsupported stopped | claims | ms a claim |")
    print("| --- | --- | --- | --- | --- |")
    entries = yaml.safe_load(DATA.read_text(encoding="utf-8"))
    for lang in ("en", "zh"):
        judged: list[tuple[bool, bool, str]] = []
        begun = time.perf_counter()
        for entry in (e for e in entries if e["lang"] == lang):
            text = entry["passage"]
            hits = [Hit(Passage("a", lang, "", "", text, 0, len(text)), 1.0)]
            for wanted in (True, False):
                claims = entry["supported" if wanted else "unsupported"]
                judged += [(wanted, bool(check(c, hits)), f"{c}  <  {text}") for c in claims]
        each = 1000 * (time.perf_counter() - begun) / len(judged)
        good = [passed for wanted, passed, _ in judged if wanted]
        bad = [not passed for wanted, passed, _ in judged if not wanted]
        shares = f"{sum(good) / len(good):.0%} | {sum(bad) / len(bad):.0%}"
        print(f"| {lang} | {shares} | {len(judged)} | {each:.2f} |")
        for wanted, passed, told in judged if given.failures else ():
            if wanted != passed:
                print(f"    {'dropped' if wanted else 'passed'}: {told}")
    _print_answers(failures=given.failures)


def _print_answers(*, failures: bool) -> None:
    """Print how many of the answers written for the development companies pass whole."""
    from assistant.grounding.grounder import Grounder
    from knowledge.documents import Hit, Passage
    from knowledge.segmenter import sentences
    from tuning.companies import load_companies

    check = Grounder().check
    for lang in ("en", "zh"):
        passed = []
        for company in (c for c in load_companies("dev") if c.lang == lang):
            texts = {article.id: article.text for article in company.articles}
            for pair in (p for p in company.pairs if p.answer):
                text = texts[pair.article]
                hits = [Hit(Passage("a", company.lang, "", "", text, 0, len(text)), 1.0)]
                said = [s.of(pair.answer) for s in sentences(pair.answer, lang)]
                passed.append(all(check(sentence, hits) for sentence in said))
                if failures and not passed[-1]:
                    print(f"    {pair.question} => {pair.answer}  <  {text}")
        print(f"answers written by us that pass whole, {lang}: {sum(passed)} of {len(passed)}")


if __name__ == "__main__":
    main()
