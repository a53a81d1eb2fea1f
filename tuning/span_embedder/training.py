"""Trains a span embedder: messages move towards the passage and the sentences that answer them.

The loss is the negative log likelihood of the right passage among the batch's, of the right message
among them for each passage, and of the right sentences among all sentences of the batch (in-batch
negatives, Henderson et al. 2017, arXiv 1705.00652). Batches hold groups of messages with
neighbouring passages of one company, so that the wrong ones are hard to tell from the right one.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch.nn import functional
from tqdm import tqdm

from knowledge.models.bfloat16 import has_bfloat16
from knowledge.models.span_embedder import (
    BATCH,
    MAX_QUESTION_TOKENS,
    encode_passage,
    padded,
)
from tuning.span_embedder.cases import Corpus, SpanCase
from tuning.span_embedder.config import SpanSettings

WARMUP, WEIGHT_DECAY = 0.1, 0.01
# The share of messages in lower case and without final punctuation.
VARIED = 0.15
# The weight of the messages' likelihood among the batch's, for each passage.
BACKWARDS = 0.5
# Neighbours of a passage from which a group is drawn.
NEIGHBOURS = 40
FORBIDDEN = -1e4


class TrainedNetwork:
    """A transformer with LoRA weights, and the tokens that it reads."""

    def __init__(self, source: str, settings: SpanSettings) -> None:
        """Load the encoder and add untrained LoRA weights; word embeddings stay frozen.

        Raises:
            OSError: There is no such encoder.
        """
        from peft import LoraConfig, get_peft_model
        from transformers import AutoModel, AutoTokenizer

        self.settings = settings
        self.tokenizer = AutoTokenizer.from_pretrained(source)
        network = AutoModel.from_pretrained(source, dtype=torch.float32)
        lora = LoraConfig(
            r=settings.rank,
            lora_alpha=2 * settings.rank,
            target_modules=["query", "key", "value", "q", "k", "v", "o", "dense"],
            exclude_modules=["pooler.dense"],
        )
        self.network: Any = get_peft_model(network, lora)
        for module in self.network.modules():
            # Drawing random numbers takes as long as computing on a processor.
            if isinstance(module, torch.nn.Dropout):
                module.p = 0.0

    @property
    def device(self) -> torch.device:
        """Where the network computes."""
        first: torch.Tensor = next(self.network.parameters())
        return first.device

    def questions(self, texts: Sequence[str]) -> torch.Tensor:
        """Return unit vectors of shape (len(texts), dimension)."""
        prompted = [self.settings.question_prompt + text for text in texts]
        ids = self.tokenizer(prompted, truncation=True, max_length=MAX_QUESTION_TOKENS)
        states = self._states(ids["input_ids"])
        return functional.normalize(torch.stack([of.mean(dim=0) for of in states]), dim=-1)

    def passages(
        self, corpus_rows: Sequence[tuple[Corpus, int]]
    ) -> tuple[torch.Tensor, torch.Tensor, list[int]]:
        """Return the unit vectors of passages, of all their sentences, and how many each has."""
        encoded = [
            encode_passage(
                self.tokenizer,
                self.settings.passage_prompt,
                corpus.passages[row].name,
                corpus.passages[row].text,
                corpus.spans[row],
            )
            for corpus, row in corpus_rows
        ]
        states = self._states([one.ids for one in encoded])
        whole = torch.stack([of.mean(dim=0) for of in states])
        parts = [
            of[slice(*place)].mean(dim=0) if place else torch.zeros_like(of[0])
            for one, of in zip(encoded, states, strict=True)
            for place in one.places
        ]
        counts = [len(one.places) for one in encoded]
        return functional.normalize(whole, dim=-1), functional.normalize(torch.stack(parts)), counts

    def _states(self, ids: Sequence[Sequence[int]]) -> list[torch.Tensor]:
        return states_of(self.network, ids, self.tokenizer.pad_token_id, self.device)


def states_of(
    network: Any, ids: Sequence[Sequence[int]], pad: int, device: torch.device
) -> list[torch.Tensor]:
    """Return each text's states; texts of similar length are padded together.

    Args:
        network: A transformer.
        ids: The token ids of each text.
        pad: The id of the padding.
        device: Where the network computes.

    Returns:
        For each text a tensor of shape (tokens, dimension).
    """
    states: list[Any] = [None] * len(ids)
    order = sorted(range(len(ids)), key=lambda n: len(ids[n]))
    half = device.type == "cuda" or has_bfloat16()
    for start in range(0, len(ids), BATCH):
        rows = order[start : start + BATCH]
        inputs = padded([ids[row] for row in rows], pad)
        inputs = {name: value.to(device) for name, value in inputs.items()}
        with torch.autocast(device.type, torch.bfloat16, enabled=half):
            found = network(**inputs).last_hidden_state
        for row, of_row in zip(rows, found, strict=True):
            states[row] = of_row[: len(ids[row])].float()
    return states


def train(
    network: TrainedNetwork, cases: Sequence[SpanCase], corpora: Mapping[str, Corpus]
) -> float:
    """Train in place; return the mean loss of the last tenth of the steps."""
    settings = network.settings
    random.seed(settings.seed)
    torch.manual_seed(settings.seed)
    neighbours = _locate(network, cases, corpora)
    steps = settings.max_steps
    if steps < 0:
        steps = max(1, int(settings.epochs * len(cases) / settings.batch))
    batches = _batches(cases, neighbours, settings)
    losses = (_loss(network, [cases[n] for n in batch], corpora) for batch in batches)
    return optimise(network.network, losses, steps, settings.learning_rate)


def optimise(
    network: Any, losses: Iterator[torch.Tensor], steps: int, learning_rate: float
) -> float:
    """Train the weights that require it; return the mean loss of the last tenth of the steps.

    Args:
        network: What the losses come from.
        losses: Each is computed when its step begins.
        steps: How many there are.
        learning_rate: The highest, after the warm-up.
    """
    weights = [weight for weight in network.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=learning_rate, weight_decay=WEIGHT_DECAY)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, _schedule(steps))
    kept = []
    for _, loss in zip(tqdm(range(steps), unit="step"), losses, strict=False):
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        scheduler.step()
        optimizer.zero_grad()
        kept.append(float(loss.detach()))
    return float(np.mean(kept[-max(1, steps // 10) :]))


def _schedule(steps: int) -> Any:
    warm = max(1, int(WARMUP * steps))
    return lambda step: min(1.0, (step + 1) / warm) * max(0.02, 1 - step / steps)


@torch.no_grad()
def _locate(
    network: TrainedNetwork, cases: Sequence[SpanCase], corpora: Mapping[str, Corpus]
) -> list[list[int]]:
    """Find the passages that are not known; return each case's neighbours, the nearest first."""
    by_corpus: dict[str, list[int]] = {}
    for number, case in enumerate(cases):
        by_corpus.setdefault(case.corpus, []).append(number)
    neighbours: list[list[int]] = [[] for _ in cases]
    for name, numbers in tqdm(by_corpus.items(), desc="Reading", unit="company"):
        corpus = corpora[name]
        rows = [(corpus, row) for row in range(len(corpus.passages))]
        parts = [network.passages(rows[n : n + 32])[0] for n in range(0, len(rows), 32)]
        vectors = torch.cat(parts)
        for number in numbers:
            case = cases[number]
            if case.passage < 0:
                own = [n for n, p in enumerate(corpus.passages) if p.article in case.articles]
                question = network.questions([case.question])[0]
                case.passage = own[int((vectors[own] @ question).argmax())]
        of_cases = vectors[[cases[number].passage for number in numbers]]
        for number, order in zip(
            numbers, (-(of_cases @ of_cases.T)).argsort(dim=1).tolist(), strict=True
        ):
            neighbours[number] = [numbers[n] for n in order[:NEIGHBOURS]]
    return neighbours


def _batches(
    cases: Sequence[SpanCase], neighbours: Sequence[Sequence[int]], settings: SpanSettings
) -> Iterator[list[int]]:
    """Yield batches without end; each case comes once before any comes again."""
    left: dict[int, None] = {}
    while True:
        batch: list[int] = []
        while len(batch) < settings.batch:
            if not left:
                left = dict.fromkeys(random.sample(range(len(cases)), len(cases)))
            group = [next(iter(left))]
            taken = {cases[group[0]].passage}
            for near in neighbours[group[0]]:
                if len(group) < settings.near and near in left and cases[near].passage not in taken:
                    group.append(near)
                    taken.add(cases[near].passage)
            group = group[: settings.batch - len(batch)]
            for number in group:
                del left[number]
            batch += group
        yield batch


def _loss(
    network: TrainedNetwork, batch: Sequence[SpanCase], corpora: Mapping[str, Corpus]
) -> torch.Tensor:
    keys = list(dict.fromkeys((case.corpus, case.passage) for case in batch))
    texts = [_varied(case.question) for case in batch]
    questions = network.questions(texts)
    whole, parts, counts = network.passages([(corpora[name], row) for name, row in keys])
    right = torch.tensor([keys.index((case.corpus, case.passage)) for case in batch])
    # A passage of another article that answers as well, or of the same one, is not wrong.
    spared = torch.tensor([[_is_spared(case, key, corpora) for key in keys] for case in batch])
    temperature = network.settings.temperature
    scores = (questions @ whole.T / temperature).masked_fill(spared.to(whole.device), FORBIDDEN)
    loss = functional.cross_entropy(scores, right.to(whole.device))
    own = functional.one_hot(right, len(keys)).bool().T.to(whole.device)
    loss = loss + BACKWARDS * _likelihood(scores.T, own)
    gold = torch.zeros(len(batch), sum(counts), dtype=torch.bool)
    starts = np.concatenate([[0], np.cumsum(counts)])
    for row, case in enumerate(batch):
        gold[row, [starts[right[row]] + n for n in case.sentences]] = True
    known = gold.any(dim=1)
    if known.any():
        near = questions @ parts.T / temperature
        wrong = spared.repeat_interleave(torch.tensor(counts), dim=1).to(whole.device)
        near = near.masked_fill(wrong, FORBIDDEN)
        loss = loss + _likelihood(near[known], gold[known].to(whole.device))
    return loss


def _is_spared(case: SpanCase, key: tuple[str, int], corpora: Mapping[str, Corpus]) -> bool:
    name, row = key
    is_other = key != (case.corpus, case.passage)
    return is_other and name == case.corpus and corpora[name].passages[row].article in case.articles


def _likelihood(scores: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
    """Return the mean negative log likelihood of the right columns of each row."""
    chosen = scores.masked_fill(~right, FORBIDDEN)
    return (scores.logsumexp(dim=1) - chosen.logsumexp(dim=1)).mean()


def _varied(question: str) -> str:
    return question.lower().strip(" ?!.？！。") if random.random() < VARIED else question
