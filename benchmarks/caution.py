"""How the setting ``caution`` trades answers for errors: ``python -m benchmarks.caution``.

Asks the whole assistant the question sets of ``tuning.evaluate`` once per value of ``caution``,
with the strategy `extractive`. Prints a table; ``--picture`` also draws it.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

CAUTIONS = (1.0, 2.0, 3.0, 5.0, 10.0, 20.0)
# Outcomes of the answerable questions, and the last one of the others.
SHARES = (
    "right",
    "right after a pick",
    "answered wrongly",
    "asked back",
    "declined wrongly",
    "unanswerable declined",
)


def main() -> int:
    """Print the table line by line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.caution",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Example: python -m benchmarks.caution --picture docs/caution.png",
    )
    parser.add_argument("--sets", nargs="+", metavar="NAME", help="default: all that ship")
    parser.add_argument("--picture", type=Path, metavar="FILE", help="draw the table as a PNG")
    parser.add_argument("--state", type=Path, default=Path("var"), help="default: %(default)s")
    given = parser.parse_args()
    from assistant.config import load_settings
    from tuning.evaluate.judged_replies import evaluate
    from tuning.evaluate.tables import summarise
    from tuning.question_sets import QuestionsError, load_question_sets

    try:
        sets = load_question_sets(given.sets)
    except QuestionsError as error:
        print(f"caution: {error}", file=sys.stderr)
        return 2
    heads = "right | right after a pick | wrong | asked back | declined | unanswerable not answered"
    print(f"| set | caution | {heads} |")
    print("| --- " * 8 + "|", flush=True)
    measured = []
    for questions in sets:
        for caution in CAUTIONS:
            settings = load_settings(state=given.state, caution=caution)
            (row,) = summarise(evaluate(questions, settings, ["extractive"])).rows
            shares = " | ".join(f"{row[name]:.0%}" for name in SHARES)
            print(f"| {questions.name} | {caution:g} | {shares} |", flush=True)
            measured.append({**row, "caution": caution})
    if given.picture:
        _draw(measured, given.picture)
    return 0


def _draw(measured: Sequence[dict[str, Any]], file: Path) -> None:
    """Draw a panel for each set: the same lines over caution."""
    from matplotlib.figure import Figure

    names = list(dict.fromkeys(one["set"] for one in measured))
    figure = Figure(figsize=(3.4 * len(names), 3.2), layout="constrained")
    panels = figure.subplots(1, len(names), sharey=True, squeeze=False)
    lines = (
        ("right", "answered right", "tab:green", "o-"),
        ("right after a pick", "right, including picks", "tab:olive", "d-."),
        ("answered wrongly", "answered wrongly", "tab:red", "s-"),
        ("unanswerable declined", "unanswerable, not answered", "tab:blue", "^--"),
    )
    for panel, name in zip(panels[0], names, strict=True):
        own = [one for one in measured if one["set"] == name]
        for field, label, colour, style in lines:
            at = [one["caution"] for one in own]
            panel.plot(at, [one[field] for one in own], style, color=colour, label=label)
        panel.set_xscale("log")
        panel.set_xticks(CAUTIONS, [f"{caution:g}" for caution in CAUTIONS])
        panel.minorticks_off()
        panel.set(title=name, xlabel="caution", ylim=(0, 1.02))
        panel.grid(alpha=0.3)
    panels[0][0].set_ylabel("share of questions")
    panels[0][0].legend(fontsize=8, loc="center left")
    figure.savefig(file, dpi=110)


if __name__ == "__main__":
    sys.exit(main())
