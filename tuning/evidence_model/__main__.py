"""Trains the model that chooses the evidence: ``python -m tuning.evidence_model --config FILE``.

It reads a question together with each passage that retrieval returns, and says which sentences
answer and how likely any does. ``--make`` first writes the cases that it learns from: the help
centres of other trades in ``tuning/data/companies``, and XQuAD where FRONTDESK_DATA names it. On
one processor or one GPU. Written to the config's ``output``, whole or not at all: the adapter, the
head, what it is worth on the development companies, and a model card. ``--measure FOLDER`` reads
those questions with weights as the assistant does, and calibrates them anew.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from assistant.evidence.reader import EvidenceReader
    from tuning.evidence_model.cases import EvidenceCase
    from tuning.evidence_model.config import EvidenceSettings

CASES = Path("var/evidence")
LANGUAGES: tuple[Literal["en", "zh"], ...] = ("en", "zh")


def main(arguments: Sequence[str] | None = None) -> int:
    """Make cases, or train and save; 1 where something cannot be used, 130 after Ctrl-C."""
    parser = argparse.ArgumentParser(
        prog="python -m tuning.evidence_model",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Example: python -m tuning.evidence_model --make && "
        "python -m tuning.evidence_model --config tuning/configs/evidence.yaml",
    )
    parser.add_argument("--make", action="store_true", help=f"write the cases to {CASES}")
    parser.add_argument("--config", type=Path, help="a YAML file")
    parser.add_argument("--measure", type=Path, metavar="FOLDER", help="weights to measure")
    parser.add_argument("--method", help="instead of the config's: lora or full")
    parser.add_argument("--base-model", help="instead of the config's")
    parser.add_argument("--cases", type=Path, help="instead of the config's")
    parser.add_argument("--parts", nargs="+", help="instead of the config's")
    parser.add_argument("--languages", nargs="+", choices=("en", "zh"))
    parser.add_argument("--epochs", type=float, help="instead of the config's")
    parser.add_argument("--learning-rate", type=float, help="instead of the config's")
    parser.add_argument("--max-steps", type=int, help="instead of the config's")
    parser.add_argument("--seed", type=int, help="instead of the config's")
    parser.add_argument("--output", type=Path, help="instead of the config's")
    parser.add_argument("--state", type=Path, default=Path("var"), help="default: %(default)s")
    given = vars(parser.parse_args(arguments))
    make, file, folder, state = (given.pop(n) for n in ("make", "config", "measure", "state"))
    if not (make or file or folder):
        parser.error("expected --make, --config FILE or --measure FOLDER")
    from knowledge.errors import KnowledgeError
    from tuning.config_file import ConfigError
    from tuning.evidence_model.config import EvidenceSettings

    try:
        if make:
            _make(given["cases"] or CASES, state)
        if file:
            _train(EvidenceSettings.load(file, **given), state)
        if folder:
            _measure(folder, given["cases"] or CASES, state)
    except (ConfigError, KnowledgeError, ValueError, OSError) as error:
        print(f"evidence_model: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("evidence_model: stopped; nothing was written.", file=sys.stderr)
        return 130
    return 0


def _make(folder: Path, state: Path) -> None:
    from tqdm import tqdm

    from knowledge.models.model_files import open_embedder
    from tuning.companies import load_companies
    from tuning.evidence_model.cases import company_cases, write_cases, xquad_cases
    from tuning.public_data import is_data_missing

    embedder = open_embedder(None, state)
    parts: dict[str, list[EvidenceCase]] = {}
    for part in ("train", "dev"):
        companies = tqdm(load_companies(part), desc=part, unit="company")
        parts[part] = [case for c in companies for case in company_cases(c, embedder)]
    if not is_data_missing("evidence_model, without XQuAD"):
        parts["xquad"] = [case for lang in LANGUAGES for case in xquad_cases(lang, embedder)]
    for part, cases in parts.items():
        write_cases(folder / f"{part}.jsonl", cases)
        unanswered = sum(not case.article for case in cases)
        print(f"{part}: {len(cases)} questions, {unanswered} of them answered nowhere")


def _train(settings: "EvidenceSettings", state: Path) -> None:
    from tuning.evidence_model.measures import calibration, floors, measured
    from tuning.evidence_model.model_folder import save_result
    from tuning.evidence_model.training import open_model, read, train

    begun = time.perf_counter()
    learnt = [case for part in settings.parts for case in _of(settings, part)]
    dev = _of(settings, "dev")
    base, source = _base(settings, state)
    model, tokenizer = open_model(settings, source)
    metrics = train(settings, model, tokenizer, learnt)
    found = read(settings, model, tokenizer, dev)
    facts: dict[str, Any] = {
        "questions": len(learnt),
        "companies": len({case.company for case in learnt} - {"xquad"}),
        "seconds": round(time.perf_counter() - begun),
        "questions_per_second": metrics["train_samples_per_second"],
        "loss": metrics["train_loss"],
        "development": measured(dev, found),
        "answerable": calibration(dev, found),
    }
    save_result(settings, model, base, facts)
    print("\n".join(floors(dev, found, facts["answerable"])))


def _measure(folder: Path, cases: Path, state: Path) -> None:
    import json

    import numpy as np
    from tqdm import tqdm

    from assistant.evidence.evidence_model import FACTS
    from assistant.evidence.selector import READ
    from knowledge.documents import Hit, Passage
    from tuning.evidence_model.cases import read_cases
    from tuning.evidence_model.measures import Found, calibration, floors, measured
    from tuning.evidence_model.model_folder import write_facts

    if not (folder / FACTS).is_file():
        raise ValueError(f"Expected the weights of an evidence model in {folder}, found none.")
    facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
    reader = _reader(folder, state, causal=facts["causal"])
    languages = facts["settings"]["languages"]
    dev = [case for case in read_cases(cases / "dev.jsonl") if case.lang in languages]
    found = []
    for case in tqdm(dev, unit="question"):
        held = case.passages[:READ]
        hits = [
            Hit(Passage(h.article, case.lang, h.name, "", h.text, 0, len(h.text)), h.score)
            for h in held
        ]
        reading = reader.read(case.question, hits, [h.sentences for h in held])
        told = zip(reading.logits, held, strict=True)
        logits = [np.full(len(h.gold), -np.inf) if own is None else own for own, h in told]
        gold = np.array([right for h in held for right in h.gold])
        articles = [h.article for h in held for _ in h.gold]
        found.append(Found(np.concatenate(logits), gold, reading.logit, articles))
    fitted = calibration(dev, found)
    write_facts(folder, {**facts, "development": measured(dev, found), "answerable": fitted})
    print("\n".join(floors(dev, found, fitted)))


def _reader(folder: Path, state: Path, *, causal: bool) -> "EvidenceReader":
    """Return the assistant's reader with these weights in the place of the shipped ones."""
    from assistant.config import load_settings
    from assistant.evidence.evidence_model import OF_EMBEDDER, EvidenceModel
    from assistant.evidence.reader import EvidenceReader
    from assistant.generators.open_generator import open_generator
    from knowledge.models.model_files import open_embedder

    first = EvidenceModel.load(open_embedder(None, state), OF_EMBEDDER if causal else folder)
    second = None
    if causal and (generator := open_generator(load_settings(state=state))):
        second = EvidenceModel.load(generator, folder)
    if first is None or (causal and second is None):
        raise ValueError(f"Expected weights for the models that ship in {folder}, found others.")
    return EvidenceReader(first, second)


def _of(settings: "EvidenceSettings", part: str) -> "list[EvidenceCase]":
    from tuning.evidence_model.cases import read_cases

    found = read_cases(settings.cases / f"{part}.jsonl")
    kept = [case for case in found if case.lang in settings.languages]
    if not kept:
        raise ValueError(f"Expected questions in {settings.languages} in {part}.jsonl, found none.")
    return kept


def _base(settings: "EvidenceSettings", state: Path) -> tuple[str, str]:
    """Return the base model's public name, and the folder or name it is loaded from."""
    from knowledge.models.model_files import EMBEDDER, GENERATOR, encoder_source, generator_folder

    if settings.base_model == GENERATOR.hub:
        return GENERATOR.hub, generator_folder(None, state)
    name = settings.base_model or EMBEDDER.hub
    return name, encoder_source(name, state)


if __name__ == "__main__":
    sys.exit(main())
