"""How reading, retrieval and the span embedder add up: the table, and the fit on known answers."""

import dataclasses
import json
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar

import numpy as np
import pytest

from assistant.config import BANK, Settings
from assistant.evidence.evidence_weights import EvidenceWeights, EvidenceWeightTable, key
from assistant.evidence.ranker import SentenceRanker
from assistant.evidence.reader import EvidenceReader
from assistant.evidence.selection import quoted_together
from assistant.message.context import EarlierTurn
from assistant.messages import Action, Message, Reply
from knowledge.documents import Article, Hit, Passage
from tests.fakes import HashEmbedder
from tuning import customer_talks, evidence_questions, evidence_weights
from tuning.customer_messages import CustomerMessage, HelpCentre
from tuning.customer_talks import Talks, turns_of
from tuning.evidence_questions import EvidenceQuestion, _question_of, _Recorder
from tuning.evidence_weights import UNANSWERED_SHARE, _shares, fit, sentence_logits

ENGLISH, SPANS = EvidenceWeights(reading=2.0), EvidenceWeights(span=3.0)


def test_a_language_without_weights_has_those_of_english():
    table = EvidenceWeightTable({"en": ENGLISH, "en, spans": SPANS})
    assert table.of("en", spans=False) == table.of("other", spans=False) == ENGLISH
    assert table.of("zh", spans=True) == SPANS
    both = EvidenceWeightTable({"en": ENGLISH, "zh": SPANS})
    assert both.of("zh", spans=False) == SPANS


def test_a_later_turn_has_its_own_weights_or_those_of_first_turns():
    later = EvidenceWeights(reading=5.0)
    table = EvidenceWeightTable({"en, spans": SPANS, "en, spans, later": later, "zh": ENGLISH})
    assert table.of("en", spans=True, later=True) == later
    assert table.of("en", spans=True) == SPANS, "first turns keep theirs"
    assert table.of("other", spans=True, later=True) == later
    assert table.of("zh", spans=False, later=True) == ENGLISH, "nothing was fitted for later ones"
    assert table.of("en", spans=False, later=True) == EvidenceWeights()


@pytest.mark.parametrize(
    ("known", "name"),
    [
        ({"spans": False}, "zh"),
        ({"spans": True}, "zh, spans"),
        ({"spans": False, "later": True}, "zh, later"),
        ({"spans": True, "later": True}, "zh, spans, later"),
    ],
)
def test_weights_have_a_name_for_each_kind_of_question(known, name):
    assert key("zh", **known) == name


def test_without_any_weights_the_reading_counts_as_it_is():
    table = EvidenceWeightTable({"en": ENGLISH})
    assert table.of("en", spans=True) == EvidenceWeights()
    assert EvidenceWeights().span == 0, "without weights for it, no span embedder has a say"
    assert EvidenceWeights().answerable(0.0, 5.0, 9.0) == 0.5


def test_the_probability_is_a_logistic_function_of_the_three_features():
    weights = EvidenceWeights(any_reading=1.0, any_hit=0.5, any_span=0.25, bias=-1.0)
    assert weights.answerable(2.0, 2.0, 4.0) == pytest.approx(1 / (1 + np.exp(-3.0)))
    assert weights.answerable(-50.0, 0.0, 0.0) < 1e-9
    assert weights.answerable(-1e9, 0.0, 0.0) == 0.0


def test_the_weights_that_ship_cover_both_languages_with_and_without_spans():
    table = EvidenceWeightTable.load()
    for lang in ("en", "zh"):
        for spans in (False, True):
            weights = table.of(lang, spans=spans)
            assert key(lang, spans=spans) in table._weights
            assert weights.reading > 0
            assert (weights.span > 0) == spans
            sure, unsure = (weights.answerable(logit, 1.0, 8.0) for logit in (4.0, -4.0))
            assert sure > unsure, "the better it reads, the likelier something answers"


def question(gold, read, hit, span, features=(0.0, 0.0, 0.0), source="shop", repeated=None):
    """Return a question with a sentence for each entry; nothing answers if none is gold."""
    return EvidenceQuestion(
        source=source,
        lang="en",
        question="?",
        answered=any(gold),
        gold=np.array(gold, bool),
        right=np.array(gold, bool),
        articles=tuple(str(n) for n in range(len(gold))),
        read=np.array(read, float),
        hit=np.array(hit, float),
        span=np.array(span, float),
        repeated=np.zeros(len(gold)) if repeated is None else np.array(repeated, float),
        cited=np.zeros(len(gold)),
        said=np.zeros(len(gold)),
        features=features,
        out_of_scope=0.0,
        later=False,
        route="answer answer",
    )


def drawn(count, weights, seed=0):
    """Return questions whose right sentences, and whether any is, follow known weights."""
    random = np.random.default_rng(seed)
    questions = []
    for number in range(count):
        read, hit, span, drawn_ = random.normal(size=(4, 5)) * np.array([[2.0], [1.0], [3.0], [1]])
        repeated = np.abs(drawn_)
        logits = weights.reading * read + weights.hit * hit + weights.span * span
        logits -= weights.repeated * repeated
        chances = np.exp(logits) / np.exp(logits).sum()
        features = tuple(float(value) for value in random.normal(size=3) * 3)
        answered = random.random() < weights.answerable(*features)
        gold = np.arange(5) == random.choice(5, p=chances)
        source = "shop, tidy" if number % 2 else "shop"
        questions.append(question(gold & answered, read, hit, span, features, source, repeated))
    return questions


def test_the_fit_finds_the_weights_that_drew_the_answers():
    true = EvidenceWeights(
        reading=1.0,
        hit=0.5,
        span=0.8,
        repeated=0.6,
        any_reading=0.7,
        any_hit=0.1,
        any_span=0.4,
    )
    found = fit(drawn(1500, true))
    assert found.reading == pytest.approx(true.reading, rel=0.25)
    assert found.hit == pytest.approx(true.hit, rel=0.35)
    assert found.span == pytest.approx(true.span, rel=0.25)
    assert found.repeated == pytest.approx(true.repeated, rel=0.35)
    assert found.any_reading == pytest.approx(true.any_reading, rel=0.25)
    assert found.any_hit == pytest.approx(true.any_hit, abs=0.1)
    assert found.any_span == pytest.approx(true.any_span, rel=0.25)


@pytest.mark.parametrize("name", ["reading", "hit", "span"])
def test_the_fit_finds_that_a_feature_decides(name):
    """Of a sentence, and of whether any answers; the other two are noise."""
    others = dict.fromkeys(("reading", "hit", "span"), 0.0)
    true = EvidenceWeights(**{**others, name: 1.5}, any_reading=0.0)
    true = dataclasses.replace(true, **{f"any_{name}": 1.5})
    found = dataclasses.asdict(fit(drawn(800, true)))
    for other in others:
        if other != name:
            assert found[other] < found[name] / 5
            assert abs(found[f"any_{other}"]) < found[f"any_{name}"] / 5


def test_nothing_speaks_against_a_sentence():
    """A feature that is high for wrong sentences gets no weight, and no negative one."""
    wrong = [
        question([True, False], [1.0, 0.0], [0.0, 1.0], [0.0, 0.0], (2.0, 0.0, 0.0)),
        question([False, False], [0.0, 0.0], [0.0, 1.0], [0.0, 0.0], (-2.0, 0.0, 0.0)),
    ] * 20
    found = fit(wrong)
    assert found.reading > 1
    assert found.hit == 0


def test_a_fifth_is_taken_to_be_unanswered_however_many_were_asked():
    """Features that say nothing leave the assumed share."""
    known = question([True], [0.0], [0.0], [0.0])
    unknown = question([False], [0.0], [0.0], [0.0])
    for count in (1, 30):
        weights = fit([known] * 30 + [unknown] * count)
        assert weights.answerable(0.0, 0.0, 0.0) == pytest.approx(1 - UNANSWERED_SHARE, abs=0.01)


def test_tidy_questions_and_messages_count_half_each():
    asked = [
        question([True], [0.0], [0.0], [0.0], source=s) for s in ("shop", "a, tidy", "b, tidy")
    ]
    assert _shares(asked).tolist() == [0.5, 0.25, 0.25]


def test_a_passage_that_a_network_left_out_never_wins():
    left_out = question([True, False], [-np.inf, 0.0], [9.0, 0.0], [9.0, 0.0])
    assert sentence_logits(left_out, EvidenceWeights(1, 1, 1, 1)).tolist() == [-np.inf, 0.0]


def test_quotations_that_stand_out_are_likelier_right():
    """The fit finds what their share is worth beside "any sentence answers"."""
    random = np.random.default_rng(0)
    asked = []
    for _ in range(800):
        read = random.normal(size=4) * 3
        answered = random.random() < 0.7
        gold = np.arange(4) == random.choice(4, p=np.exp(read) / np.exp(read).sum())
        any_read = (2.0 if answered else -2.0, 0.0, 0.0)
        asked.append(question(gold & answered, read, np.zeros(4), np.zeros(4), any_read))
    found = fit(asked)
    clear, level = (found.best(2.0, 0.0, share) for share in (3.0, -0.5))
    assert clear > 0.9
    assert level < 0.6
    assert found.best(-2.0, 0.0, 3.0) < 0.2, "nothing answers"


def test_later_turns_are_taken_to_be_answered_more_often():
    asked = drawn(60, EvidenceWeights(span=0.5))
    later = [dataclasses.replace(one, later=True) for one in asked]
    assert fit(later).bias > fit(asked).bias


def both_turns(first, later, lang):
    """Return questions of first turns and of later ones in a language."""
    firsts = [dataclasses.replace(one, lang=lang) for one in first]
    return [*firsts, *(dataclasses.replace(one, lang=lang, later=True) for one in later)]


def test_the_command_writes_what_it_fitted_with_spans_and_without(tmp_path, monkeypatch, capsys):
    asked, later = drawn(50, EvidenceWeights(span=0.5)), drawn(40, EvidenceWeights(span=1.5), 1)
    monkeypatch.setattr(
        evidence_weights,
        "read_questions",
        lambda settings, lang: both_turns(asked, later, lang),
    )
    file, read = tmp_path / "evidence.json", tmp_path / "read.json"
    kept = dataclasses.asdict(ENGLISH)
    file.write_text(json.dumps({"en": kept}))
    monkeypatch.setattr("assistant.evidence.evidence_weights.WEIGHTS_FILE", file)
    assert evidence_weights.main(["--dry-run", "--save", str(read)]) == 0
    assert json.loads(file.read_text()) == {"en": kept}
    rows = json.loads(read.read_text())
    assert [row["later"] for row in rows] == ([False] * 50 + [True] * 40) * 2
    assert evidence_weights.main([]) == 0
    table = EvidenceWeightTable.load(file)
    kinds = [{"spans": spans, "later": later} for spans in (True, False) for later in (True, False)]
    written = {key(lang, **kind) for lang in ("en", "zh") for kind in kinds}
    assert set(json.loads(file.read_text())) == written
    of_first, of_later = fit(asked), fit([dataclasses.replace(q, later=True) for q in later])
    assert of_first != of_later
    for lang in ("en", "zh"):
        assert table.of(lang, spans=True) == of_first
        assert table.of(lang, spans=True, later=True) == of_later
    # The optimiser stops near nothing, how near depends on the processor.
    nothing = pytest.approx(0, abs=0.001)
    assert table.of("en", spans=False, later=True).span == nothing
    without = table.of("en", spans=False)
    assert without != ENGLISH
    assert (without.span, without.any_span) == (nothing, nothing), "no span embedder has read"
    assert without.reading > 0
    assert "shop, tidy: " in capsys.readouterr().out


def test_one_language_can_be_fitted_alone(tmp_path, monkeypatch):
    """The other one's questions are not read, and its weights stay."""
    asked = drawn(40, EvidenceWeights(span=0.5))
    read = []

    def read_questions(settings, lang):
        read.append(lang)
        return both_turns(asked, asked, lang)

    monkeypatch.setattr(evidence_weights, "read_questions", read_questions)
    file = tmp_path / "evidence.json"
    file.write_text(json.dumps({"en, spans": dataclasses.asdict(ENGLISH)}))
    monkeypatch.setattr("assistant.evidence.evidence_weights.WEIGHTS_FILE", file)
    assert evidence_weights.main(["--languages", "zh"]) == 0
    assert read == ["zh"]
    table = EvidenceWeightTable.load(file)
    assert table.of("en", spans=True) == ENGLISH
    assert table.of("zh", spans=True) == fit(asked)


def test_those_across_languages_are_fitted_apart(tmp_path, monkeypatch):
    asked = drawn(40, EvidenceWeights(span=0.5))
    monkeypatch.setattr(evidence_weights, "read_across", lambda settings, lang: asked)
    file = tmp_path / "evidence.json"
    kept = dataclasses.asdict(ENGLISH)
    file.write_text(json.dumps({"en": kept}))
    monkeypatch.setattr("assistant.evidence.evidence_weights.WEIGHTS_FILE", file)
    assert evidence_weights.main(["--languages", "en", "--across"]) == 0
    assert json.loads(file.read_text())["en"] == kept
    table = EvidenceWeightTable.load(file)
    assert table.of("en", spans=False, across=True) == fit(asked)
    assert table.of("en", spans=False) == ENGLISH
    assert table.of("zh", spans=False, across=True) == ENGLISH, "nothing fitted: the language's own"


def test_what_is_quoted_together_is_near_the_best_sentence():
    shares = np.array([0.1, 0.4, 0.15, 0.05, 0.3])
    assert quoted_together(shares, ["a"] * 5) == [1, 4, 2]
    assert quoted_together(shares, ["a", "b", "b", "b", "a"]) == [1, 4, 2]
    assert quoted_together(shares, ["a", "b", "a", "b", "c"]) == [1, 4], "another article"
    assert quoted_together(np.array([1.0]), ["a"]) == [0]


class Counts:
    """A model for which a sentence's logit is its number; records what it read, and after what."""

    languages = frozenset({"en"})

    def __init__(self):
        self.read, self.after = [], []

    def score(self, question, passages, spans, last=None):
        self.read.append(question)
        self.after.append(last)
        return [np.arange(len(of_passage), dtype=float) for of_passage in spans]


LAST = EarlierTurn("a card", "A card costs £5.")


def asked_of(*texts, reads, message="how much is it", support=(), last=None):
    """Return what is recorded of a message whose hits have these texts, and the model."""
    model = Counts()
    hits = [
        Hit(Passage(str(n), "en", "T", "", text, 0, len(text)), 0.5 - 0.4 * (n > 0))
        for n, text in enumerate(texts)
    ]
    ranker = SentenceRanker(HashEmbedder(), _Recorder(EvidenceReader(model)))
    share = 0.9 if last else 0.0

    def consider(question, history):
        if reads:
            ranker.rank(question, hits, np.zeros(64, np.float32), share, last)
        message = SimpleNamespace(
            text=question, last=last, prediction=SimpleNamespace(out_of_scope=0.25)
        )
        return SimpleNamespace(
            message=message,
            hits=hits,
            route=SimpleNamespace(action="clarify", reason="unsure"),
        )

    assistant = SimpleNamespace(
        consider=consider,
        finder=SimpleNamespace(evidence=ranker, policy=SimpleNamespace(least_share=share)),
    )
    articles = [Article(str(n), "T", "en", text, "p") for n, text in enumerate(texts)]
    told = CustomerMessage(message, ("0",), support)
    # Small talk is no turn to read a message after.
    history = [Message("user", last.question if last else "hi")]
    return _question_of(assistant, "shop", told, articles, consider(message, history)), model


CARD, ROOM = "What is this?\n\nA card costs £5. Call us now.", "A room costs £80."


@pytest.mark.parametrize("reads", [True, False])
def test_each_question_is_read_once_whether_or_not_the_assistant_read_it(reads):
    """What it decides before reading is read too; a sentence that says nothing has no entry."""
    found, model = asked_of(CARD, ROOM, reads=reads, support=("A card costs £5.",))
    assert model.read == ["how much is it"]
    assert found.articles == ("0", "0", "1")
    assert found.gold.tolist() == [True, False, False]
    assert found.right.tolist() == [True, True, False]
    assert found.read.tolist() == [0.0, 1.0, 0.0]
    assert (found.out_of_scope, found.route) == (0.25, "clarify unsure")
    assert not found.later


@pytest.mark.parametrize("reads", [True, False])
def test_a_later_turn_is_read_in_three_ways_and_with_all_hits(reads):
    """Even with hits that are far behind the best one."""
    found, model = asked_of(CARD, ROOM, ROOM, ROOM, ROOM, reads=reads, last=LAST)
    assert model.read == ["how much is it", "how much is it", "a card how much is it"]
    assert model.after == [LAST, None, None]
    assert found.later
    assert set(found.articles) == set("01234")


def test_of_an_article_that_answers_as_a_whole_each_sentence_does():
    found, _ = asked_of(CARD, ROOM, reads=True)
    assert found.gold.tolist() == [True, True, False]


def test_a_question_of_which_nothing_can_be_read_does_not_end_the_command():
    """All sentences of its hits are hollow."""
    found, model = asked_of("What is this?", reads=False)
    assert found is None
    assert model.read == []


class RememberingAssistant:
    """Finds the two articles of a shop for every message; keeps what it was asked and opened for.

    Its reply to a message is "re: …", and a later message follows the last one.
    """

    opened: ClassVar[list[Settings]] = []
    asked: ClassVar[list[tuple[str, list[str]]]] = []

    def __init__(self):
        ranker = SentenceRanker(HashEmbedder(), EvidenceReader(Counts()))
        self.finder = SimpleNamespace(evidence=ranker, policy=SimpleNamespace(least_share=0.0))

    @classmethod
    def from_config(cls, settings):
        cls.opened.append(settings)
        return cls()

    def consider(self, question, history=()):
        self.asked.append((question, [message.text for message in history]))
        message = SimpleNamespace(
            text=question,
            last=EarlierTurn(history[-2].text) if history else None,
            prediction=SimpleNamespace(out_of_scope=0.25),
        )
        return SimpleNamespace(
            message=message,
            hits=[Hit(Passage(a.id, "en", "T", "", a.text, 0, len(a.text)), 0.5) for a in SHOP],
            route=SimpleNamespace(action="answer", reason="answer"),
        )

    @property
    def responder(self):
        return self

    def respond(self, found):
        yield Reply(f"re: {found.message.text}", Action.ANSWER, "answer", "en")


SHOP = [
    Article("card", "T", "en", "A card costs £5. It takes a day.", "p"),
    Article("room", "T", "en", "Rooms open at noon.", "p"),
]
TALK = turns_of(
    [
        {"question": "card price", "kind": "first", "doc": "card", "support": ["A card costs £5."]},
        {"question": "ta", "kind": "small_talk", "expect": "small_talk"},
        {"question": "n how long", "kind": "follow_up", "alone": "how long does a card take", "doc": "card", "support": ["It takes a day."]},
        {"question": "gold?", "kind": "unanswerable", "expect": "decline", "alone": "sell gold?"},
        {"question": "a human", "kind": "person", "expect": "handoff"},
    ]
)  # fmt: skip


@pytest.fixture
def played(monkeypatch):
    """Return the questions of one first message and one conversation with a company."""
    opened, asked = [], []
    monkeypatch.setattr(RememberingAssistant, "opened", opened)
    monkeypatch.setattr(RememberingAssistant, "asked", asked)
    monkeypatch.setattr("assistant.assistant.Assistant", RememberingAssistant)
    first = CustomerMessage("card?", ("card",), ("A card costs £5.",))
    one = [("shop", nullcontext(Path("shop")), SHOP, [first])]
    monkeypatch.setattr(evidence_questions, "_sets", lambda lang: iter(one))
    parts = []

    def talks_of(part, lang):
        parts.append((part, lang))
        return [Talks(HelpCentre("willow-dental", lang, SHOP, ()), [TALK])]

    monkeypatch.setattr(customer_talks, "talks_of", talks_of)
    settings = Settings(state=Path("var"), strategy="tuned")
    questions = list(evidence_questions.read_questions(settings, "en"))
    assert parts == [("dev", "en")], "never what was trained on"
    return questions, opened, asked


def test_the_later_turns_of_conversations_are_read_after_first_messages(played):
    questions, _, _ = played
    assert [(q.source, q.question, q.later) for q in questions] == [
        ("shop", "card?", False),
        ("willow-dental, follow_up", "n how long", True),
        ("willow-dental, unanswerable", "gold?", True),
    ]
    _, answered, declined = questions
    assert answered.gold.tolist() == [False, True, False]
    assert answered.answered
    assert not declined.answered
    assert not declined.gold.any()


def test_a_later_turn_is_typed_after_the_replies_that_are_given_now(played):
    _, _, asked = played
    typed = ["card price", "ta", "n how long", "gold?", "a human"]
    said = [text for message in typed for text in (message, f"re: {message}")]
    assert asked[1:] == [(text, said[: 2 * n]) for n, text in enumerate(typed)], "each once"


def test_conversations_are_held_with_the_assistant_of_their_company(played):
    """It quotes: replies that a generator words would take hours."""
    _, (first, later), _ = played
    assert first.knowledge == Path("shop")
    assert (first.strategy, later.strategy) == ("extractive", "extractive")
    assert later.knowledge not in {first.knowledge, Settings().knowledge}
    assert not later.knowledge.exists(), "a company's folder lasts as long as its conversations"


def test_conversations_with_the_bank_are_held_with_its_own_folder():
    bank = HelpCentre("bank-en", "en", SHOP, ())
    with evidence_questions._knowledge_of(bank) as folder:
        assert folder == BANK
    company = HelpCentre("willow-dental", "en", SHOP, ())
    with evidence_questions._knowledge_of(company) as folder:
        assert (folder / "company.yml").is_file()
