"""Selects the sentences of an extractive answer from those that were ranked; pure functions."""

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from assistant.evidence.ranked_sentences import Evidence, RankedSentences
from assistant.grounding.claims import values
from knowledge.segmenter import LEANING, length

MAX_SENTENCES = 3
MAX_WORDS = {"en": 70, "zh": 130}
# A sentence joins the best one if it is at least so likely, as a share of the best one's
# probability. A sentence of another article must be likelier. Chosen on the development companies.
BESIDE, BESIDE_OTHER = 0.3, 0.5
# Two prices of one article join sooner: a reader who sees both knows which one applies.
BESIDE_PRICE = 0.2
# The same by the form of the question: one figure is soon complete, a comparison needs both sides.
BESIDE_OF = {"figure": 0.8, "when": 0.5, "how": 0.5, "trouble": 0.4, "why": 0.4, "choice": 0.15}
# Half the way leads nowhere: who asks how hears more of the same passage, and more in all.
BESIDE_STEP, MAX_STEPS, STEPS_LONGER = 0.07, 5, 1.6
# Words and figures, and single Chinese characters.
_WORD = re.compile(r"[\u3400-\u9fff]|[^\W\u3400-\u9fff]+(?:[.,:]\d+)*")
_ANNOUNCES = re.compile(r"[:：]$|\bsteps\b|as follows|步骤|如下|以下", re.IGNORECASE)


def select(ranked: RankedSentences, lang: str, shape: str = "other") -> list[Evidence]:
    """Return one to three sentences in the order of their articles; none where none was ranked.

    The steps of a list always come together, however many there are.

    Args:
        ranked: The sentences of the hits.
        lang: The language of the question, which bounds the length.
        shape: The form of the question.
    """
    if not ranked.sentences:
        return []
    chosen = _best(ranked.sentences, lang, shape)
    in_reading_order = sorted(ranked.sentences, key=lambda e: e.place)
    whole = _distinct(_with_steps(_with_context(chosen, in_reading_order), in_reading_order))
    first = chosen[0].passage.article
    return sorted(whole, key=lambda e: (e.passage.article != first, e.place))


def quoted_together(shares: NDArray[np.float64], articles: Sequence[str]) -> list[int]:
    """Return which sentences an answer would quote, as far as their shares tell.

    Args:
        shares: The probability of each sentence that it is the best of all, shape (sentences,).
        articles: The article of each.

    Returns:
        Their numbers, the most likely first: at least one, at most ``MAX_SENTENCES``.
    """
    first, *others = np.argsort(-shares).tolist()
    near = [
        number
        for number in others
        if shares[number]
        >= shares[first] * (BESIDE if articles[number] == articles[first] else BESIDE_OTHER)
    ]
    return [first, *near[: MAX_SENTENCES - 1]]


def _best(ranked: Sequence[Evidence], lang: str, shape: str) -> list[Evidence]:
    first, *others = ranked
    chosen, words = [first], length(first.text)
    most, most_words = MAX_SENTENCES, MAX_WORDS.get(lang, MAX_WORDS["en"])
    if shape == "how":
        most, most_words = MAX_STEPS, int(most_words * STEPS_LONGER)
    for evidence in others:
        if evidence.score < first.score * _least_share(evidence, first, shape):
            continue
        if any(_holds(said, evidence) or _holds(evidence, said) for said in chosen):
            continue
        words += length(evidence.text)
        if len(chosen) == most or words > most_words:
            break
        chosen.append(evidence)
    return chosen


def _distinct(whole: Sequence[Evidence]) -> list[Evidence]:
    """Leave out what another sentence says as well: pages repeat themselves and each other."""
    kept: list[Evidence] = []
    for number, evidence in enumerate(whole):
        others = [*kept, *whole[number + 1 :]]
        if not any(_holds(other, evidence) for other in others):
            kept.append(evidence)
    return kept


def _holds(evidence: Evidence, said: Evidence) -> bool:
    """Return whether a sentence holds all words of another one, in order."""
    words, wanted = (_WORD.findall(one.text.lower()) for one in (evidence, said))
    starts = range(len(words) - len(wanted) + 1)
    return any(words[at : at + len(wanted)] == wanted for at in starts)


def _least_share(evidence: Evidence, first: Evidence, shape: str) -> float:
    if shape == "how" and evidence.passage is first.passage:
        return BESIDE_STEP
    beside = BESIDE_OF.get(shape, BESIDE)
    if evidence.passage.article != first.passage.article:
        return max(beside, BESIDE_OTHER)
    return min(beside, BESIDE_PRICE) if _is_priced(evidence) and _is_priced(first) else beside


def _is_priced(evidence: Evidence) -> bool:
    return bool({"money", "share"} & {kind for kind, *_ in values(evidence.text)})


def _with_context(chosen: Sequence[Evidence], ordered: Sequence[Evidence]) -> list[Evidence]:
    """Add the sentence before one that leans on it, and the sentence after that leans on one.

    "Above that we charge 2 %" says nothing alone, and "free up to £200" is half the truth.
    """
    places = {(id(e.passage), e.span.start): n for n, e in enumerate(ordered)}
    kept = {places[id(e.passage), e.span.start] for e in chosen}
    for place in sorted(kept):
        if _leans(ordered, place):
            kept.add(place - 1)
        if _leans(ordered, place + 1):
            kept.add(place + 1)
    return [ordered[place] for place in kept]


def _leans(ordered: Sequence[Evidence], place: int) -> bool:
    """Return whether a sentence refers to the one before it in the same passage."""
    if not 0 < place < len(ordered) or ordered[place].passage is not ordered[place - 1].passage:
        return False
    return ordered[place].text.lower().startswith(LEANING)


def _with_steps(chosen: Sequence[Evidence], ordered: Sequence[Evidence]) -> list[Evidence]:
    """Add all steps of a list if one of them, or the sentence that announces them, is chosen.

    Half a list of steps leads nowhere; "work through these steps" without the steps is worse.
    """
    whole = list(chosen)
    for announcement, steps in _lists_of_steps(ordered):
        is_announced = announcement in chosen and _announces(announcement)
        if is_announced or any(step in chosen for step in steps):
            whole += [step for step in steps if step not in chosen]
    return whole


def _announces(evidence: Evidence | None) -> bool:
    return evidence is not None and _ANNOUNCES.search(evidence.text) is not None


def _lists_of_steps(
    ordered: Sequence[Evidence],
) -> list[tuple[Evidence | None, list[Evidence]]]:
    """Return each list of steps with the sentence before it."""
    lists: list[tuple[Evidence | None, list[Evidence]]] = []
    for before, evidence in zip([None, *ordered], ordered, strict=False):
        last = lists[-1][1] if lists else []
        if last and before is last[-1] and (evidence.step or evidence.continues(last[-1])):
            last.append(evidence)
        elif evidence.step:
            lists.append((before, [evidence]))
    return lists
