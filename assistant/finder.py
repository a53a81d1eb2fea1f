"""Finds what answers a message, whole, question by question, or side by side."""

import dataclasses
from collections.abc import Sequence

from assistant.evidence.ranked_sentences import Evidence, best_of, nearest_of, without
from assistant.evidence.ranker import SentenceRanker
from assistant.evidence.selection import select
from assistant.evidence.verdict import VerdictReader
from assistant.findings import Findings, Stopwatch, Understood
from assistant.intents.question_reader import STATEMENTS
from assistant.listener import Listener
from assistant.message import safety
from assistant.message.context import EarlierTurn, asks_back, says_little
from assistant.message.courtesies import unjoined
from assistant.messages import Action
from assistant.policy import Policy
from assistant.routing import PERSON, SORRY, Route, Router
from assistant.weighing import as_part, weigh
from assistant.writing.reply_builder import citation_of
from knowledge.documents import Hit
from knowledge.knowledge_base import KnowledgeBase
from knowledge.segmenter import Span

# The most questions of one message that are answered.
MAX_PARTS = 3
# The most articles that are suggested next.
SUGGESTIONS = 3


class Finder:
    """Searches the articles, reads what was found, and decides by it what the reply does."""

    def __init__(
        self,
        *,
        listener: Listener,
        knowledge: KnowledgeBase,
        evidence: SentenceRanker,
        verdicts: VerdictReader | None = None,
        policy: Policy,
    ) -> None:
        """Take ready parts.

        Args:
            listener: Understands the parts of a message.
            knowledge: Provides the current retriever.
            evidence: Ranks the sentences that may answer.
            verdicts: Tells yes from no; without it, no answer begins with either.
            policy: How sure an answer must be.
        """
        self.knowledge, self.evidence, self.policy = knowledge, evidence, policy
        self._listener = listener
        self._verdicts = verdicts
        self._router = Router(policy)

    def searching(self, knowledge: KnowledgeBase) -> "Finder":
        """Return the same that searches other articles."""
        return Finder(
            listener=self._listener,
            knowledge=knowledge,
            evidence=self.evidence,
            verdicts=self._verdicts,
            policy=self.policy,
        )

    def find(self, message: Understood, clock: Stopwatch) -> Findings:
        """Return the findings of a message, whole or part by part.

        Args:
            message: The message.
            clock: Measures the steps.
        """
        found = self._find(message, clock)
        return dataclasses.replace(found, suggestions=tuple(self._suggestions(found)))

    def _suggestions(self, found: Findings) -> list[str]:
        """Return what may be wanted next: nothing for whoever complains or was not answered."""
        message = found.message
        # Most questions about a lost card are sad; a statement that is sad complains.
        is_sad = message.prediction.sentiment == "negative"
        complains = is_sad and message.asked.shape in STATEMENTS
        if not _is_answer(found) or found.route.reason in SORRY or complains:
            return []
        chosen = [e for part in (found, *found.parts) for e in part.chosen]
        read = [e.passage.article for e in chosen if e.passage.lang == found.lang]
        said = {c.article for earlier in message.history for c in earlier.citations}
        related = self.knowledge.current().related
        return related.titles(read, found.lang, {*read, *said}, SUGGESTIONS)

    def _find(self, message: Understood, clock: Stopwatch) -> Findings:
        risk = self._router.of_risk(message.risks)
        if risk and not self._router.is_doubtful(risk, message.risks):
            # No article, no choice: only help, or a friendly no.
            return Findings(message, risk, clock)
        hits = self._hits(message)
        clock.lap("retriever")
        route = None
        if message.picked is None:
            # Reading takes most of a turn. Small talk, orders and out-of-scope messages need none.
            route = self._router.before_reading(
                message.prediction,
                hits,
                injection=message.injection,
                failures=message.failures,
                kinds=message.kinds,
                risks=message.risks,
            )
        parts = () if route or message.picked else self._parts(message, clock)
        if len(parts) == 1:
            return as_part(parts[0])
        if parts:
            return as_part(_of_parts(message, clock, hits, parts))
        found = self._read(message, hits, route, clock)
        if len(message.asked.parts) > 1 or message.asked.sides:
            found = as_part(found)
        if risk and not _is_answer(found):
            return Findings(message, risk, clock, weighed=found.weighed)
        return self._until_a_person(found) if found.route.action is Action.HANDOFF else found

    def _parts(self, message: Understood, clock: Stopwatch) -> tuple[Findings, ...]:
        """Return the findings of each question or side of a message.

        None if it is better read whole; one if each side has the same answer.
        """
        parts, sides = message.asked.parts, message.asked.sides
        # "How old for the kayak and how old for the launch" is one comparison.
        is_compared = all(sum(part.holds(side) for side in sides) == 1 for part in parts)
        if len(parts) > 1 and not is_compared:
            return self._one_by_one(message, clock)
        return self._side_by_side(message, clock) if sides else ()

    def _one_by_one(self, message: Understood, clock: Stopwatch) -> tuple[Findings, ...]:
        """Read each question as if it followed the one before it: "and how long does that take?".

        One that nothing answers then is read by itself. What follows a question that nothing
        answered is about that one, and not about what was said before the message.
        """
        parts: list[Findings] = []
        for span in message.asked.parts[:MAX_PARTS]:
            question = unjoined(span.of(message.bared), is_first=not span.start)
            answered = [part for part in parts if _is_answer(part)]
            last = _turn_of(answered[-1]) if answered else None if parts else message.last
            found = self._of_part(message, question, last, clock)
            if last and not _is_answer(found):
                alone = self._of_part(message, question, None, clock)
                found = alone if _is_answer(alone) else found
            parts.append(found)
        is_open = [part for part in parts if not _is_answer(part)]
        # A statement that no article meets is what the question beside it is about.
        is_context = any(part.message.asked.shape in STATEMENTS for part in is_open)
        return () if is_context or len(is_open) == len(parts) else tuple(parts)

    def _side_by_side(self, message: Understood, clock: Stopwatch) -> tuple[Findings, ...]:
        """Read a comparison once for each side, without the names of the others."""
        sides = message.asked.sides
        parts = []
        for side in sides:
            question = without_spans(message.bared, [other for other in sides if other != side])
            name = side.of(message.bared)
            found = self._of_part(message, question, message.last, clock, name)
            parts.append(dataclasses.replace(found, verdict=""))
        answered = [part for part in parts if _is_answer(part)]
        if len(answered) == len(parts) and len({best_of(part.chosen).place for part in parts}) == 1:
            return (dataclasses.replace(parts[0], message=message, chosen=_together(parts)),)
        return tuple(parts) if answered else ()

    def _of_part(
        self,
        message: Understood,
        question: str,
        last: EarlierTurn | None,
        clock: Stopwatch,
        name: str = "",
    ) -> Findings:
        part = self._listener.part_of(message, question, last, name)
        return self._read(part, self._hits(part), None, clock)

    def _hits(self, message: Understood) -> list[Hit]:
        # Emoji ask for no article, and something is always nearest.
        if safety.is_emoji_alone(message.bared):
            return []
        prediction = message.prediction
        return self.knowledge.current().retrieve(
            message.vectors,
            prediction.language,
            prior=prediction.articles if self.policy.weighs_intents else None,
            title=message.picked,
            also=[c.article for turn in message.earlier for c in turn.citations],
            before=message.last,
        )

    def _read(
        self, message: Understood, hits: Sequence[Hit], route: Route | None, clock: Stopwatch
    ) -> Findings:
        """Return the findings of a message or a part of it, with what the hits say of it."""
        prediction, last, kinds = message.prediction, message.last, message.kinds
        is_pick = message.picked is not None
        is_expected = not last and self._router.is_expected(prediction, hits)
        read_share = 0.0 if is_pick else self.policy.read_share(is_expected)
        ranked = self.evidence.rank(
            message.bared, [] if route else hits, message.vector, read_share, last
        )
        if last and kinds and self.policy.is_pushback(kinds):
            # The same words again would help nobody.
            ranked = without(ranked, last.citations)
        if is_pick:
            route = self._router.after_pick(ranked, message.failures)
        elif route is None:
            route = self._router.after_reading(
                prediction,
                hits,
                ranked,
                failures=message.failures,
                says_little=says_little(message.bared, message.history),
                expected=is_expected,
                kinds=kinds,
                asked_back=asks_back(message.history),
                risks=message.risks,
                said_sorry=any(earlier.reason in SORRY for earlier in message.history),
                account=message.asked.account,
            )
        chosen = select(ranked, prediction.language, message.asked.shape)
        clock.lap("evidence")
        verdict = ""
        if route.action is Action.ANSWER:
            verdict = self._verdict(message, chosen)
            clock.lap("verdict")
        nearest = nearest_of(ranked, hits)
        weighed = weigh(message, ranked, self.policy, expected=is_expected)
        return Findings(
            message, route, clock, hits, chosen, verdict, nearest=nearest, weighed=weighed
        )

    def _until_a_person(self, findings: Findings) -> Findings:
        """Return the findings of a handoff with what the customer can read while waiting.

        This is the article of the intent. If the company's intents name no article, it is any
        sentence that answers, such as the opening hours of the telephone line.
        """
        message = findings.message
        prediction = message.prediction
        about = [hit for hit in findings.hits if hit.passage.article == prediction.article]
        wished = self._router.is_settled(prediction) or findings.route.reason == PERSON
        read = about or (findings.hits if wished else [])
        ranked = self.evidence.rank(message.text, read, message.vector, last=message.last)
        is_told = about or self.policy.is_about(ranked)
        chosen = select(ranked, prediction.language) if is_told else []
        return dataclasses.replace(findings, chosen=chosen)

    def _verdict(self, message: Understood, chosen: Sequence[Evidence]) -> str:
        """Return whether what is quoted says yes or no; "" where nobody asked, or it is unsure."""
        if not self._verdicts or not self.policy.asks_yes_or_no(message.asked.shapes):
            return ""
        first = [e for e in chosen if e.passage.article == chosen[0].passage.article]
        return self.policy.verdict(self._verdicts.read(message.bared, first), message.lang)


def without_spans(text: str, spans: Sequence[Span]) -> str:
    """Return a text without some of its words."""
    kept = text
    for span in sorted(spans, key=lambda span: -span.start):
        kept = kept[: span.start] + kept[span.end :]
    return " ".join(kept.split())


def _together(parts: Sequence[Findings]) -> list[Evidence]:
    """Return what each side of a comparison quotes, once, with all columns of a table."""
    chosen = {evidence.place: evidence for part in parts for evidence in part.chosen}
    return [dataclasses.replace(evidence, asked="") for evidence in chosen.values()]


def _is_answer(part: Findings) -> bool:
    return part.route.action is Action.ANSWER


def _of_parts(
    message: Understood, clock: Stopwatch, hits: Sequence[Hit], parts: Sequence[Findings]
) -> Findings:
    """Return the findings of a message of which at least one part is answered."""
    answered = [part for part in parts if _is_answer(part)]
    nearest = next((part for part in parts if not _is_answer(part)), answered[0]).nearest
    # All of the answer is right only if the least likely part is.
    weighed = min((part.weighed for part in answered), key=lambda weighed: weighed.answers)
    return Findings(
        message, answered[0].route, clock, hits, parts=parts, nearest=nearest, weighed=weighed
    )


def _turn_of(part: Findings) -> EarlierTurn:
    """Return an answered question of a message as the turn before the next one."""
    citations = tuple(citation_of(evidence, n) for n, evidence in enumerate(part.chosen, 1))
    return EarlierTurn(part.message.text, citations[0].quote, citations)
