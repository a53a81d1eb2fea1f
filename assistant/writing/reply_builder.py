"""Builds a reply from sentences and their support."""

import re
from collections.abc import Iterable, Iterator, Sequence

from assistant.evidence.ranked_sentences import Evidence, best_of
from assistant.findings import Findings
from assistant.generators.generator import Generator
from assistant.grounding.grounder import SupportingSpan
from assistant.messages import Citation, Reply, Support
from knowledge.segmenter import sentences

# A sentence, its support and the separator before it: what ``add`` takes.
Lead = tuple[str, SupportingSpan | None, str | None]
# A Chinese character, or a full-width mark.
_CHINESE_END = re.compile(r"[\u3000-\u9fff\uff00-\uffef]$")


class ReplyBuilder:
    """Collects the sentences of a reply with their citations."""

    def __init__(self, findings: Findings, strategy: str | None) -> None:
        """Start an empty reply.

        Args:
            findings: The findings of the turn.
            strategy: How the answer is worded; None for a reply without an answer.
        """
        self.strategy = strategy
        self.template: str | None = None
        self.support: list[Support] = []
        self._findings = findings
        self._text = ""
        self._citations: list[Citation] = []
        self._leads: Sequence[Lead] = ()

    def has_said(self, sentence: str) -> bool:
        """Return whether the reply already has this sentence."""
        return any(support.sentence == sentence for support in self.support)

    def cites(self, evidence: Evidence) -> bool:
        """Return whether a citation of the reply overlaps this sentence of a passage."""
        passage = evidence.passage
        start, end = passage.start + evidence.span.start, passage.start + evidence.span.end
        return any(
            (citation.article, citation.lang) == (passage.article, passage.lang)
            and citation.start < end
            and start < citation.end
            for citation in self._citations
        )

    def lead(self, leads: Sequence[Lead]) -> None:
        """Let these go before the next sentence that is added, if one is, and nothing else."""
        self._leads = leads

    def add(self, sentence: str, span: SupportingSpan | None, separator: str | None = None) -> str:
        """Append a sentence and return the added text: a separator and the sentence.

        What ``lead`` was given goes first.

        Args:
            sentence: The sentence.
            span: The passage span that supports it, if there is one.
            separator: The separator; None for a space, or nothing after a sentence in Chinese. The
                first sentence has none.
        """
        leads, self._leads = self._leads, ()
        led = "".join(self.add(*one) for one in leads)
        default = "" if _CHINESE_END.search(self._text) else " "
        prefix = (default if separator is None else separator) if self._text else ""
        self._text += prefix + sentence
        self.support.append(Support(sentence, self._cite(span) if span else None))
        return led + prefix + sentence

    def quote(self, chosen: Iterable[Evidence]) -> Iterator[str]:
        """Append sentences word for word; yield what ``add`` returns.

        Steps are a list, and so are several rows of a table, which have no full stop.
        """
        last_in_list: Evidence | None = None
        for evidence in chosen:
            span = SupportingSpan(evidence.passage, evidence.span)
            if evidence.is_row:
                yield self.add(evidence.text, span, "\n" if last_in_list else None)
                last_in_list = evidence
                continue
            if evidence.step:
                last_in_list = evidence
                yield self.add(f"{evidence.step} {evidence.text}", span, "\n")
                continue
            in_list = last_in_list is not None and evidence.continues(last_in_list)
            yield self.add(evidence.text, span, "\n\n" if last_in_list and not in_list else None)
            last_in_list = evidence if in_list else None

    def _cite(self, span: SupportingSpan) -> int:
        """Return the number of the citation of a span, a new one where needed."""
        start = span.passage.start + span.span.start
        quote = span.span.of(span.passage.text)
        place = (span.passage.article, span.passage.lang, start, quote)
        for known in self._citations:
            if (known.article, known.lang, known.start, known.quote) == place:
                return known.number
        self._citations.append(citation_of(span, len(self._citations) + 1))
        return len(self._citations)

    def build(self, generator: Generator | None) -> Reply:
        """Return the reply. ``generator`` worded it; None if no generator did."""
        findings = self._findings
        return Reply(
            text=self._text,
            action=findings.route.action,
            reason=findings.route.reason,
            language=findings.lang,
            intent=findings.message.prediction.intent,
            intent_score=round(findings.message.prediction.score, 4),
            out_of_scope=round(findings.message.prediction.out_of_scope, 4),
            sentiment=findings.message.prediction.sentiment,
            sentiment_score=round(findings.message.prediction.sentiment_score, 4),
            citations=tuple(self._citations),
            support=tuple(self.support),
            choices=findings.route.choices,
            urgent=findings.route.urgent,
            nearest=findings.nearest,
            weighed=findings.weighed,
            suggestions=findings.suggestions,
            strategy=self.strategy,
            template=self.template,
            generator=generator.name if generator else None,
            rule=findings.route.rule,
            timings_ms=findings.clock.total(),
        )


def supporting(chosen: Sequence[Evidence]) -> SupportingSpan | None:
    """Return the likeliest of some sentences as what supports a word about all of them."""
    if not chosen:
        return None
    best = best_of(chosen)
    return SupportingSpan(best.passage, best.span)


def citation_of(cited: SupportingSpan | Evidence, number: int) -> Citation:
    """Return the words of a passage as a citation."""
    passage, span = cited.passage, cited.span
    start, quote = passage.start + span.start, span.of(passage.text)
    return Citation(
        number=number,
        article=passage.article,
        lang=passage.lang,
        title=passage.title,
        quote=quote,
        start=start,
        end=start + len(quote),
    )


def complete_sentences(pieces: Iterable[str], lang: str) -> Iterator[str]:
    """Split a stream of text into sentences; yield each when it is complete.

    A last sentence without closing punctuation is dropped: the generator ran out of tokens.
    """
    buffer = ""
    for piece in pieces:
        buffer += piece
        spans = sentences(buffer, lang)
        # The last one may still grow.
        for span in spans[:-1]:
            yield span.of(buffer)
        if len(spans) > 1:
            buffer = buffer[spans[-1].start :]
    for span in sentences(buffer, lang):
        if span.of(buffer).endswith((".", "!", "?", "。", "！", "？", '"', "”", ")")):
            yield span.of(buffer)
