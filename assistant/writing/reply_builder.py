"""What one findings knows, and how its reply grows sentence by sentence."""

from collections.abc import Iterable, Iterator

from assistant.evidence.ranked_sentences import Evidence
from assistant.findings import Findings
from assistant.generators.generator import Generator
from assistant.grounding.grounder import SupportingSpan
from assistant.messages import Citation, Reply, Support
from knowledge.segmenter import sentences


class ReplyBuilder:
    """Collects checked sentences with their citations; ``add`` returns what to show."""

    def __init__(self, findings: Findings, strategy: str | None) -> None:
        """Begin an empty reply."""
        self.strategy = strategy
        self.template: str | None = None
        # Whether the generator said that the passages do not answer, or not all of it.
        self.declined = False
        self.support: list[Support] = []
        self._findings = findings
        self._text = ""
        self._citations: list[Citation] = []

    def has_said(self, sentence: str) -> bool:
        """Tell whether the reply holds this sentence already."""
        return any(said.sentence == sentence for said in self.support)

    def cites(self, evidence: Evidence) -> bool:
        """Tell whether a sentence of the reply is backed by this one."""
        passage = evidence.passage
        start, end = (passage.start + at for at in (evidence.span.start, evidence.span.end))
        return any(
            (cited.article, cited.lang) == (passage.article, passage.lang)
            and cited.start < end
            and start < cited.end
            for cited in self._citations
        )

    def add(self, sentence: str, span: SupportingSpan | None, separator: str | None = None) -> str:
        """Append a sentence and return it with the blank that separates it from the text before.

        Args:
            sentence: What to say.
            span: What backs it, if anything does.
            separator: What to put between; by default a blank in English, nothing in Chinese.
        """
        usual = "" if self._findings.lang == "zh" else " "
        between = (usual if separator is None else separator) if self._text else ""
        self._text += between + sentence
        self.support.append(Support(sentence, self._cite(span) if span else None))
        return between + sentence

    def quote(self, chosen: Iterable[Evidence]) -> Iterator[str]:
        """Append sentences as they are written, steps as a list; yield each as ``add`` does."""
        listed: Evidence | None = None
        for evidence in chosen:
            span = SupportingSpan(evidence.passage, evidence.span)
            if evidence.step:
                listed = evidence
                yield self.add(f"{evidence.step} {evidence.text}", span, "\n")
                continue
            in_list = listed is not None and evidence.continues(listed)
            yield self.add(evidence.text, span, "\n\n" if listed and not in_list else None)
            listed = evidence if in_list else None

    def _cite(self, span: SupportingSpan) -> int:
        start = span.passage.start + span.span.start
        quote = span.span.of(span.passage.text)
        place = (span.passage.article, span.passage.lang, start, quote)
        for known in self._citations:
            if (known.article, known.lang, known.start, known.quote) == place:
                return known.number
        self._citations.append(
            Citation(
                number=len(self._citations) + 1,
                article=span.passage.article,
                lang=span.passage.lang,
                title=span.passage.title,
                quote=quote,
                start=start,
                end=start + len(quote),
            )
        )
        return len(self._citations)

    def build(self, generator: Generator | None) -> Reply:
        """Return the reply as it stands; ``generator`` is the one whose words it holds."""
        findings = self._findings
        return Reply(
            text=self._text,
            action=findings.route.action,
            reason=findings.route.reason,
            language=findings.lang,
            intent=findings.prediction.intent,
            intent_score=round(findings.prediction.score, 4),
            out_of_scope=round(findings.prediction.out_of_scope, 4),
            sentiment=findings.prediction.sentiment,
            sentiment_score=round(findings.prediction.sentiment_score, 4),
            citations=tuple(self._citations),
            support=tuple(self.support),
            choices=findings.route.choices,
            strategy=self.strategy,
            template=self.template,
            generator=generator.name if generator else None,
            timings_ms=findings.clock.total(),
        )


def complete_sentences(pieces: Iterable[str], lang: str) -> Iterator[str]:
    """Cut a stream of text into sentences as soon as each is complete.

    A last sentence that breaks off, because the generator ran out of tokens, is left out.
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
