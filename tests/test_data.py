"""The commands for what is kept: give out, erase, purge, keys, copies; and the terminal chat."""

import json
from datetime import timedelta

import pytest

from assistant import backup, chat, data, keys
from assistant.messages import Action, Nearest, Reply
from assistant.secret_key import secret_key
from assistant.store.contacts import Contacts
from assistant.store.conversations import Conversations
from assistant.store.database import Database
from assistant.store.feedback import Feedback
from assistant.store.retention import purge
from assistant.store.tables import ConversationRow, now

REPLY = Reply("It costs £5.", Action.ANSWER, "answer", "en")


@pytest.fixture
def kept(tmp_path):
    database = Database.open(f"sqlite:///{tmp_path}/frontdesk.db")
    yield Conversations(database)
    database.close()


def talked(kept, text="how much is a card?"):
    conversation = kept.start("api")
    kept.answer(kept.ask(conversation, text).id, REPLY, lambda *_: None, {})
    return conversation


def test_everything_of_a_conversation_goes_out_and_away(kept, tmp_path, capsys):
    conversation, state = talked(kept), ["--state", str(tmp_path)]
    Feedback(kept.database).judge(conversation, 2, -1, "too dear")
    contacts = Contacts(kept.database, secret_key(tmp_path), 30)
    contacts.leave(conversation, "ring 07700 900123")
    file = tmp_path / "out.json"
    assert data.main(["export", conversation, "--out", str(file), *state]) == 0
    told = json.loads(file.read_text(encoding="utf-8"))
    assert [m["text"] for m in told["message"]] == ["how much is a card?", "It costs £5."]
    assert told["feedback"][0]["reason"] == "too dear"
    assert told["contact"] == "ring 07700 900123"
    other = talked(kept)
    assert other not in file.read_text(encoding="utf-8")
    assert data.main(["erase", conversation, *state]) == 0
    for verb in ("erase", "export"):
        assert data.main([verb, conversation, *state]) == 2
    assert "was deleted" in capsys.readouterr().err


def test_what_is_too_old_is_deleted(kept, tmp_path, capsys):
    old, new = talked(kept), talked(kept)
    with kept.database.write() as session:
        session.get(ConversationRow, old).updated = now() - timedelta(days=31)
    assert purge(kept.database, 32) == 0
    assert data.main(["purge", "--days", "30", "--state", str(tmp_path)]) == 0
    assert "Deleted 1 conversations" in capsys.readouterr().out
    assert kept.messages(new)
    assert purge(kept.database, 30) == 0


def test_a_copy_is_made_and_brought_back_while_it_is_used(kept, tmp_path, capsys):
    first, state = talked(kept), ["--state", str(tmp_path)]
    file = str(tmp_path / "copy.db")
    assert backup.main([file, *state]) == 0
    assert backup.main([file, *state]) == 2, "a copy is never written over"
    second = talked(kept)
    assert backup.restore([file, *state]) == 0
    assert kept.messages(first)
    assert data.main(["export", second, *state]) == 2
    talked(kept)
    (tmp_path / "broken.db").write_bytes(b"SQLite format 3\0" + b"x" * 5000)
    assert backup.restore([str(tmp_path / "broken.db"), *state]) == 2
    assert backup.restore([str(tmp_path / "none.db"), *state]) == 2
    assert kept.messages(first)
    capsys.readouterr()


def test_keys_are_made_shown_and_revoked(tmp_path, capsys):
    state = ["--state", str(tmp_path)]
    assert keys.main(["add", "shop", *state]) == 0
    key = capsys.readouterr().out.strip()
    assert key.startswith("fd-")
    assert keys.main(["add", "shop", *state]) == 2
    assert keys.main(["add", "other", "--scopes", "everything", *state]) == 2
    assert keys.main(["revoke", "shop", *state]) == 0
    assert keys.main(["list", *state]) == 0
    shown = capsys.readouterr().out
    assert "shop: chat, made" in shown
    assert "revoked" in shown
    assert key not in shown
    assert key.encode() not in (tmp_path / "frontdesk.db").read_bytes()


def test_the_terminal_chat_is_kept_and_goes_on(bank, tmp_path, monkeypatch, capsys):
    from assistant.assistant import Assistant

    monkeypatch.setattr(Assistant, "from_config", classmethod(lambda *_: bank))
    typed = iter(["I lost my card", "???", "how much is a new one?", ""])
    monkeypatch.setattr("builtins.input", lambda _: next(typed))
    assert chat.main(["--state", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "£5" in said
    assert "found only symbols" in said
    conversation = said.split("Kept as ")[1].strip().rstrip(".")
    typed = iter([""])
    assert chat.main(["--state", str(tmp_path), "--conversation", conversation]) == 0
    assert "> how much is a new one?" in capsys.readouterr().out
    assert chat.main(["--state", str(tmp_path), "--conversation", "none"]) == 2


def test_unanswered_questions_and_deeds_are_shown(kept, tmp_path, capsys):
    state = ["--state", str(tmp_path)]
    assert data.main(["unanswered", *state]) == 0
    assert "No question was left unanswered in 7 days." in capsys.readouterr().out
    near = Nearest("fees", "en", "Fees", 0.4, "A card is £5.", 0.2)
    declined = Reply("I don't know.", Action.DECLINE, "not_found", "en", nearest=(near,))
    kept.answer(kept.ask(kept.start("api"), "and gold?").id, declined, lambda *_: None, {})
    assert data.main(["unanswered", *state]) == 0
    assert "decline: and gold? | Fees: A card is £5. (0.20)" in capsys.readouterr().out
    conversation = talked(kept)
    assert data.main(["erase", conversation, *state]) == 0
    assert data.main(["audit", *state]) == 0
    assert f"terminal: erase {conversation}" in capsys.readouterr().out
