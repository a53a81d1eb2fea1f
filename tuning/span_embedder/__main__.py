"""Trains a span embedder: ``python -m tuning.span_embedder --config FILE``.

It learns from customers' messages in ``tuning/data/customers`` and, if FRONTDESK_DATA names the
public data, from those in its folder ``customers``; and from tidy questions. Runs on processors or
one GPU. Writes the adapter, its facts and a model card to the config's ``output``, whole or not at
all.
"""

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tuning.training_command import parsed, run

if TYPE_CHECKING:
    from tuning.span_embedder.cases import Corpus, SpanCase
    from tuning.span_embedder.config import SpanSettings

NAME = "span_embedder"


def main(arguments: Sequence[str] | None = None) -> int:
    """Train and save.

    Returns:
        1 if something cannot be used, 130 after Ctrl-C, else 0.
    """
    options = parsed(NAME, __doc__, arguments)
    from tuning.span_embedder.config import SpanSettings

    return run(NAME, options, SpanSettings, _train)


def _train(settings: "SpanSettings", state: Path) -> None:
    import torch

    from knowledge.models.model_files import encoder_source
    from tuning.span_embedder.model_folder import save_result
    from tuning.span_embedder.training import TrainedNetwork, train

    start = time.perf_counter()
    messages, tidy, corpora = _cases(settings)
    network = TrainedNetwork(encoder_source(settings.base, state), settings)
    if torch.cuda.is_available():
        network.network.cuda()
    print(f"{len(messages)} messages and {len(tidy)} tidy questions of {len(corpora)} companies")
    loss = train(network, messages + tidy, corpora)
    facts = {
        "messages": len(messages),
        "tidy": len(tidy),
        "companies": len(corpora),
        "seconds": round(time.perf_counter() - start),
        "loss": round(loss, 3),
    }
    save_result(settings, network, facts)


def _cases(
    settings: "SpanSettings",
) -> "tuple[list[SpanCase], list[SpanCase], dict[str, Corpus]]":
    from tuning.customer_messages import help_centres
    from tuning.span_embedder.cases import Corpus, cases_of, tidy_cases

    corpora: dict[str, Corpus] = {}
    messages: list[SpanCase] = []
    tidy: list[SpanCase] = []
    for lang in settings.languages:
        for centre in help_centres("train", lang):
            corpus = corpora.setdefault(centre.name, Corpus.of(centre.name, centre.articles))
            messages += cases_of(centre, corpus)
    share = settings.tidy // len(settings.languages)
    for lang in settings.languages:
        tidy += tidy_cases(lang, corpora, share, settings.seed)
    return messages, tidy, corpora


if __name__ == "__main__":
    sys.exit(main())
