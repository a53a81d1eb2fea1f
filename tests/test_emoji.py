"""Messages of emoji alone, in conversations of both languages."""

import pytest

from assistant.intents.classifier import Prediction
from assistant.intents.emoji import with_emoji_read
from assistant.message.safety import is_emoji_alone
from assistant.messages import Action, Message
from tests.conftest import assistant_of

ENGLISH = [Message("user", "how much is a card?"), Message("assistant", "It costs £5.")]
CHINESE = [Message("user", "补卡多少钱？"), Message("assistant", "补卡收费 5 英镑。")]
RUSSIAN = [Message("user", "сколько стоит карта"), Message("assistant", "抱歉，我只会中文和英文。")]

GUESS = Prediction(
    intent="lost_card",
    score=0.3,
    action=Action.ANSWER,
    article="cards",
    runner_up="other",
    runner_up_score=0.2,
    out_of_scope=0.9,
    language="en",
    articles={"cards": 0.3},
)


@pytest.mark.parametrize(
    "text", ["👍", "🙏", "😂😂", "👍🏽", "!!😡", "❤️", "👩‍👧", "🇬🇧", "⏰ ?", "🫩"]
)
def test_emoji_alone(text):
    assert is_emoji_alone(text)


@pytest.mark.parametrize("text", ["", "???", "。。。", "❓", "ok 👍", "好👍", "1️⃣", "£ % °", ":-)"])
def test_not_emoji_alone(text):
    assert not is_emoji_alone(text)
    assert with_emoji_read(GUESS, text, CHINESE) is GUESS


@pytest.mark.parametrize(
    ("text", "history", "intent", "action"),
    [
        ("👍", [], "greeting", Action.SMALL_TALK),
        ("👍🏽", ENGLISH, "thanks", Action.SMALL_TALK),
        ("😂😂", CHINESE, "thanks", Action.SMALL_TALK),
        ("💳", ENGLISH, "thanks", Action.SMALL_TALK),
        ("😡", [], "upset", Action.HANDOFF),
        ("!!😡", ENGLISH, "upset", Action.HANDOFF),
        ("😂🖕🏽", CHINESE, "upset", Action.HANDOFF),
        ("☹️", CHINESE, "upset", Action.HANDOFF),
    ],
)
def test_what_it_wants(text, history, intent, action):
    read = with_emoji_read(GUESS, text, history)
    assert (read.intent, read.action, read.score, read.article) == (intent, action, 1.0, None)


@pytest.mark.parametrize(
    ("history", "language"),
    [
        ([], "en"),
        (ENGLISH, "en"),
        (CHINESE, "zh"),
        ([*CHINESE, Message("user", "🙏"), Message("assistant", "不客气。")], "zh"),
        ([*ENGLISH, *CHINESE], "zh"),
        ([*CHINESE, Message("user", "123")], "zh"),
        (RUSSIAN, "en"),
    ],
)
def test_the_language_is_that_of_the_conversation(history, language):
    assert with_emoji_read(GUESS, "👍", history).language == language


@pytest.mark.parametrize(
    ("text", "history", "action", "said"),
    [
        ("🙏", [], Action.SMALL_TALK, "Hello!"),
        ("👍", ENGLISH, Action.SMALL_TALK, "You're welcome."),
        ("👍", CHINESE, Action.SMALL_TALK, "不客气。"),
        ("😡", [], Action.HANDOFF, "What happened?"),
        ("🤬🤬", CHINESE, Action.HANDOFF, "请问发生了什么？"),
    ],
)
def test_the_reply(parts, text, history, action, said):
    reply = assistant_of(parts).reply(text, history)
    assert reply.action is action
    assert said in reply.text
    assert reply.language == ("zh" if history is CHINESE else "en")
    assert not reply.citations
