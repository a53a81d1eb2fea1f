"""Messages as customers type them: parts, turns, and where their answers stand in the articles."""

import json

import pytest

from knowledge.documents import Article
from tuning.customer_messages import (
    DEV_CENTRES,
    FOLDER,
    OWN_CENTRES,
    CustomerMessage,
    folder_of,
    help_centres,
    read_messages,
    supports,
)

ANSWERED = {"question": "whats a card cost", "doc": "card|fees", "support": ["A card costs £5."]}
DECLINED = {"question": "do you sell gold", "expect": "decline", "doc": "card"}
SMALL_TALK = {"question": "ta", "expect": "smalltalk"}


@pytest.fixture
def write(tmp_path):
    def write(*rows):
        file = tmp_path / "messages.jsonl"
        lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
        file.write_text("\n".join(lines), encoding="utf-8")
        return file

    return write


def test_what_is_answered_and_what_is_declined_is_read_and_small_talk_is_not(write):
    answered, declined = read_messages(write(ANSWERED, DECLINED, SMALL_TALK))
    assert answered.articles == ("card", "fees")
    assert answered.support == ("A card costs £5.",)
    assert not answered.is_later
    assert (declined.articles, declined.support) == ((), ()), "nothing answers it"


def test_a_line_tells_its_part_or_every_fourth_is_for_development(write):
    rows = [{**ANSWERED, "question": str(n)} for n in range(8)]
    assert [m.question for m in read_messages(write(*rows), "dev")] == ["3", "7"]
    assert len(read_messages(write(*rows), "train")) == 6
    rows[0]["part"], rows[3]["part"] = "dev", "train"
    assert [m.question for m in read_messages(write(*rows), "dev")] == ["0", "7"]


def test_small_talk_moves_no_other_line_to_another_part(write):
    rows = [SMALL_TALK] * 3 + [ANSWERED]
    assert len(read_messages(write(*rows), "dev")) == 1
    assert read_messages(write(*rows), "train") == []


def test_a_later_turn_is_read_in_words_that_need_no_conversation(write):
    then = {
        "question": "and for my wife?",
        "alone": "what does a card for my wife cost",
        "doc": "card",
    }
    same = {"question": "how long does a card take", "doc": "card"}
    first, second, third = read_messages(write([ANSWERED, then, SMALL_TALK, same]))
    assert (first.question, first.is_later) == (ANSWERED["question"], False)
    assert (second.question, second.is_later) == (then["alone"], True)
    assert (third.question, third.is_later) == (same["question"], True)


@pytest.mark.parametrize(
    "bad",
    ["{", "", "[]", "7", '"text"', '{"doc": "card"}', '{"question": 7, "doc": "card"}',
     '{"question": "?", "doc": 7}', '[{"question": "?", "doc": "card"}, 7]'],
)  # fmt: skip
def test_a_line_that_is_no_message_is_named(write, bad):
    with pytest.raises(
        ValueError, match=r"messages\.jsonl:2: expected a customer's message, found"
    ):
        read_messages(write(ANSWERED, bad, ANSWERED))


def article(text, name="card"):
    return Article(name, "Cards", "en", text, "cards.md")


def found(support, *articles, names=("card", "fees")):
    """Return what stands at each place that supports a message."""
    texts = {a.id: a.text for a in articles}
    message = CustomerMessage("?", names, tuple(support))
    return [(name, texts[name][start:end]) for name, start, end in supports(message, articles)]


def test_a_sentence_is_found_though_marks_spaces_and_capitals_differ():
    text = "# Fees\n\n- A **spare card**\n  costs `£5`.\n| Delivery | 3 days |\n"
    assert found(["A spare card costs £5."], article(text)) == [
        ("card", "A **spare card**\n  costs `£5`."),
    ]
    assert found(["| delivery | **3 days** |"], article(text)) == [("card", "Delivery | 3 days")]


def test_the_best_sentence_comes_first_and_each_place_counts():
    text = "It is free. A card costs £5. It is free."
    places = found(["A card costs £5.", "It is free."], article(text))
    assert places == [("card", "A card costs £5."), *[("card", "It is free.")] * 2]


def test_only_articles_that_answer_support_a_message():
    one, other = article("It is free."), article("It is free.", "fees")
    assert found(["It is free."], one, other) == [("card", "It is free."), ("fees", "It is free.")]
    assert found(["It is free."], one, other, names=("fees",)) == [("fees", "It is free.")]
    assert found(["It is dear.", "**"], one, other) == []


def test_letters_whose_lower_case_is_longer_move_no_place():
    """The Turkish İ becomes two characters."""
    assert found(["It is free."], article("İİİ It is free.")) == [("card", "It is free.")]


@pytest.fixture(scope="module")
def own():
    """Return this project's help centres by part and name, without any public data."""
    return {
        part: {centre.name: centre for centre in help_centres(part)} for part in ("train", "dev")
    }


@pytest.fixture(autouse=True, scope="module")
def _without_public_data():
    with pytest.MonkeyPatch.context() as patched:
        patched.delenv("FRONTDESK_DATA", raising=False)
        yield


def test_no_message_and_no_help_centre_is_in_both_parts(own):
    asked = {
        part: {(name, m.question) for name, centre in centres.items() for m in centre.messages}
        for part, centres in own.items()
    }
    assert not asked["train"] & asked["dev"]
    assert set(own["train"]) & set(own["dev"]) == {"bank-en", "bank-zh"}
    assert set(OWN_CENTRES) <= set(own["train"])
    assert not set(DEV_CENTRES) & set(own["train"])


def test_a_language_restricts_the_help_centres(own):
    for lang in ("en", "zh"):
        names = [name for name, centre in own["train"].items() if centre.lang == lang]
        assert [centre.name for centre in help_centres("train", lang)] == names
        assert len(names) >= 10


def test_every_message_names_articles_of_its_help_centre(own):
    for centres in own.values():
        for centre in centres.values():
            known = {a.id for a in centre.articles}
            assert known
            assert {a.lang for a in centre.articles} == {centre.lang}
            for message in centre.messages:
                assert set(message.articles) <= known, (centre.name, message)


def test_every_sentence_of_support_stands_in_an_article_word_for_word(own):
    missing = [
        (centre.name, sentence)
        for centres in own.values()
        for centre in centres.values()
        for message in centre.messages
        for sentence in message.support
        if not any(supports(CustomerMessage("", message.articles, (sentence,)), centre.articles))
    ]
    assert missing == []


def test_the_folder_of_a_help_centre_holds_its_articles(own):
    for name in ("bank-en", *OWN_CENTRES):
        assert list(folder_of(own["train"][name]).rglob("*.md"))
    assert folder_of(own["train"][OWN_CENTRES[0]]).is_relative_to(FOLDER)
