"""Trains the evidence model: ``python -m tuning.evidence_model --config FILE``.

The model reads a question with each passage that retrieval returns, and says which sentences answer
and how likely any does. ``--make`` first writes its training cases, from the help centres in
``tuning/data/companies`` and, if FRONTDESK_DATA names the public data, from XQuAD. Runs on one
processor or one GPU. Writes the adapter, the linear layer, the measures on the development
companies and a model card to the config's ``output``, whole or not at all. ``--measure FOLDER``
measures such weights on the development companies as the assistant uses them. When any sentence
answers is fitted by ``tuning.evidence_weights``.
"""

import argparse
import random
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tuning.evidence_model.cases import EvidenceCase
    from tuning.evidence_model.config import EvidenceSettings

CASES = Path("var/evidence")


# Keys of the configuration that are options too.
REPLACEABLE = ("method", "base_model", "cases", "epochs", "max_steps", "output")


def main(arguments: Sequence[str] | None = None) -> int:
    """Make cases, train, or measure.

    Returns:
        1 if something cannot be used, 130 after Ctrl-C, else 0.
    """
    parser = argparse.ArgumentParser(
        prog="python -m tuning.evidence_model",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Example: python -m tuning.evidence_model --make && "
        "python -m tuning.evidence_model --config tuning/configs/evidence.yaml",
    )
    parser.add_argument("--make", action="store_true", help="write the cases")
    parser.add_argument("--config", type=Path, help="train: a YAML file")
    parser.add_argument("--measure", type=Path, metavar="FOLDER", help="weights to measure")
    parser.add_argument("--method", help="replaces the config's: lora or full")
    parser.add_argument("--base-model", help="replaces the config's")
    parser.add_argument("--epochs", type=float, help="replaces the config's")
    parser.add_argument("--max-steps", type=int, help="replaces the config's")
    parser.add_argument("--output", type=Path, help="replaces the config's")
    parser.add_argument("--cases", type=Path, help=f"replaces the config's; default: {CASES}")
    parser.add_argument("--state", type=Path, default=Path("var"), help="default: %(default)s")
    options = parser.parse_args(arguments)
    if not (options.make or options.config or options.measure):
        parser.error("expected --make, --config FILE or --measure FOLDER")
    from knowledge.errors import KnowledgeError
    from tuning.config_file import ConfigError

    try:
        if options.make:
            _make(options)
        if options.config:
            _train(options)
        if options.measure:
            _measure(options)
    except (ConfigError, KnowledgeError, ValueError, OSError) as error:
        print(f"evidence_model: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("evidence_model: stopped; nothing was written.", file=sys.stderr)
        return 130
    return 0


def _make(options: argparse.Namespace) -> None:
    from knowledge.models.model_files import open_embedder, open_span_embedders
    from tuning.evidence_model.case_parts import make_cases
    from tuning.evidence_model.cases import write_cases

    embedder = open_embedder(None, options.state)
    spans = open_span_embedders(embedder, options.state, small=False)
    for part, cases in make_cases(embedder, spans).items():
        write_cases((options.cases or CASES) / f"{part}.jsonl", cases)
        unanswered = sum(not case.article for case in cases)
        print(f"{part}: {len(cases)} questions, {unanswered} of them unanswered")


def _train(options: argparse.Namespace) -> None:
    from tuning.evidence_model.base_network import open_base
    from tuning.evidence_model.config import EvidenceSettings
    from tuning.evidence_model.measures import measure
    from tuning.evidence_model.model_folder import save_result
    from tuning.evidence_model.training import open_model, score_cases, train

    settings = EvidenceSettings.load(
        options.config, **{name: getattr(options, name) for name in REPLACEABLE}
    )
    start = time.perf_counter()
    cases = [case for part in settings.parts for case in _cases(settings, part)]
    dev = _cases(settings, "dev")
    base = open_base(settings, options.state)
    model = open_model(settings, base)
    metrics = train(settings, model, base.tokenizer, cases)
    scored = score_cases(settings, model, base.tokenizer, dev)
    facts: dict[str, Any] = {
        "questions": len(cases),
        "companies": len({case.company for case in cases} - {"xquad"}),
        "seconds": round(time.perf_counter() - start),
        "questions_per_second": metrics["train_samples_per_second"],
        "loss": metrics["train_loss"],
        "development": measure(dev, scored),
    }
    save_result(settings, model, base.name, facts)


def _measure(options: argparse.Namespace) -> None:
    from tuning.evidence_model.cases import read_cases
    from tuning.evidence_model.measures import measure
    from tuning.evidence_model.model_folder import read_facts, write_facts
    from tuning.evidence_model.serving import open_reader, score_as_served

    facts = read_facts(options.measure)
    reader = open_reader(options.measure, options.state)
    languages = facts["settings"]["languages"]
    file = (options.cases or CASES) / "dev.jsonl"
    dev = [case for case in read_cases(file) if case.lang in languages]
    measures = measure(dev, score_as_served(reader, dev))
    write_facts(options.measure, {**facts, "development": measures})


def _cases(settings: "EvidenceSettings", part: str) -> "list[EvidenceCase]":
    from tuning.evidence_model.cases import read_cases

    cases = read_cases(settings.cases / f"{part}.jsonl")
    kept = [case for case in cases if case.lang in settings.languages]
    if (share := settings.share.get(part, 1.0)) < 1:
        kept = random.Random(settings.seed).sample(kept, int(share * len(kept)))
    if not kept:
        raise ValueError(f"Expected questions in {settings.languages} in {part}.jsonl, found none.")
    return kept


if __name__ == "__main__":
    sys.exit(main())
