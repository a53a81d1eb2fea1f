"""The chat page in a browser: judging, changing, what is kept, what goes wrong, and people."""

import json
import re
import time
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from assistant.store.tables import ConversationRow, FeedbackRow
from tests.page_browser import (
    EN,
    INPUT,
    REPLY,
    ZH,
    again,
    ask,
    choose,
    conversation_of,
    hide,
    send,
)

pytestmark = pytest.mark.slow
CARD = "4111 1111 1111 1111"
KEPT = "frontdesk.conversations"


def kept(page_server, page):
    """Return the messages that the server keeps of the open conversation."""
    return page_server.desk.conversations.messages(conversation_of(page))


def trouble(page, text):
    """Wait until the page says what went wrong."""
    page.locator(".trouble", has_text=text).wait_for()


def handoff_of(page_server, page):
    return page_server.handoffs.of(conversation_of(page))


@pytest.mark.parametrize(
    ("how", "bad", "reason", "right", "submit", "thanks"),
    [
        (
            EN,
            "This did not help",
            "Out of date",
            "What would have been right?",
            "Send",
            "Thank you. We have it.",
        ),
        (ZH, "没有帮助", "内容过时", "正确的答复应该是什么？", "提交", "谢谢，我们已经收到。"),
    ],
)
def test_a_thumb_down_asks_why(visit, page_server, how, bad, reason, right, submit, thanks):
    page = visit(**how)
    ask(page, "how much is a card?")
    thumb = page.get_by_role("button", name=bad)
    assert thumb.get_attribute("aria-pressed") == "false"
    thumb.click()
    form = page.locator("form.feedback")
    form.get_by_label(reason).check()
    form.get_by_label(right).fill("It costs £6 <b>")
    form.get_by_role("button", name=submit).click()
    page.locator(".thanks", has_text=thanks).wait_for()
    with page_server.desk.conversations.database.read() as session:
        row = session.scalars(select(FeedbackRow).order_by(FeedbackRow.created.desc())).first()
        assert (row.thumb, row.reason, row.correction) == (-1, "out_of_date", "It costs £6 <b>")
    again(page)
    assert page.get_by_role("button", name=bad).get_attribute("aria-pressed") == "true"
    page.get_by_role("button", name=bad).click()
    page.locator(f'[aria-label="{bad}"][aria-pressed="false"]').wait_for()
    assert page.locator("form.feedback").count() == 0


def test_copy_and_ask_again(visit, page_server):
    page = visit(**EN, permissions=["clipboard-read", "clipboard-write"])
    ask(page, "steps")
    page.get_by_role("button", name="Copy").click()
    page.get_by_text("Copied").wait_for(state="attached")
    assert "2. Choose the card that is lost." in page.evaluate("navigator.clipboard.readText()")
    before = len(page_server.answerer.asked)
    page.get_by_role("button", name="Ask again").click()
    page.wait_for_function(
        "document.querySelectorAll('.message').length === 2 && !document.querySelector('.writing')"
    )
    assert page_server.answerer.asked[before:] == [("steps", 0)]
    again(page)
    assert page.locator(".message").count() == 2


@pytest.mark.parametrize(
    ("how", "edit", "told"),
    [(EN, "Edit", "You are changing your last message."), (ZH, "修改", "正在修改上一条消息。")],
)
def test_a_changed_message_replaces_the_last_one(visit, page_server, how, edit, told):
    page = visit(**how)
    ask(page, "how much is a card?")
    ask(page, "steps one")
    assert page.locator(".edit:visible").count() == 1
    page.fill(INPUT, "half a thought")
    page.get_by_role("button", name=edit).click()
    page.get_by_text(told).wait_for()
    assert page.input_value(INPUT) == "steps one"
    page.keyboard.press("Escape")
    assert page.input_value(INPUT) == "half a thought"
    page.get_by_role("button", name=edit).click()
    page.fill(INPUT, "steps two")
    page.keyboard.press("Enter")
    page.wait_for_function(
        "document.querySelectorAll('.message').length === 4 && !document.querySelector('.writing')"
    )
    assert page_server.answerer.asked[-1] == ("steps two", 2)
    assert page.get_by_text("steps one").count() == 0
    again(page)
    page.get_by_text("steps two").wait_for()
    assert page.get_by_text("steps one").count() == 0
    assert page.locator(".message").count() == 4


def change(page, text):
    """Change the last message of the customer's."""
    page.locator(".edit:visible").click()
    page.fill(INPUT, text)
    page.keyboard.press("Enter")
    page.locator(".message.user", has_text=text).wait_for()
    page.wait_for_selector(".stop", state="hidden")


def test_a_changed_message_is_the_current_one_on_another_device(visit):
    page = visit(**EN)
    ask(page, "how much is a card?")
    ask(page, "steps one")
    change(page, "steps two")
    change(page, "steps three")
    known = page.context.storage_state()
    (list_,) = (one for one in known["origins"][0]["localStorage"] if one["name"] == KEPT)
    # Another browser knows no more than which conversation it is.
    entries = [{name: one[name] for name in ("id", "token")} for one in json.loads(list_["value"])]
    list_["value"] = json.dumps([{**one, "title": "", "updated": 1} for one in entries])
    other = visit(**EN, storage_state=known)
    other.get_by_text("steps three").wait_for()
    said = [one.inner_text() for one in other.locator(".message.user .text").all()]
    assert said == ["how much is a card?", "steps three"]
    assert other.locator(REPLY).count() == 2


def test_a_changed_message_goes_from_another_tab_too(visit):
    one = visit(**EN)
    ask(one, "a person please")
    ask(one, "steps one")
    two = one.context.new_page()
    two.goto(one.url)
    two.get_by_text("steps one").wait_for()
    change(one, "steps two")
    two.locator(".message.user", has_text="steps two").wait_for()
    two.wait_for_function("document.querySelectorAll('.message').length === 4")
    assert two.get_by_text("steps one").count() == 0
    assert one.locator(".message").count() == 4


def test_a_change_that_is_refused_leaves_what_it_would_have_replaced(visit):
    page = visit(**EN)
    ask(page, "steps one")
    page.locator(".edit:visible").click()
    page.fill(INPUT, "???")
    page.keyboard.press("Enter")
    page.locator(".toast", has_text="A few words are needed.").wait_for()
    assert page.input_value(INPUT) == "???"
    assert page.locator(".message").count() == 2


def test_a_message_of_which_much_is_masked_is_there_once(visit, page_server):
    page = visit(**EN)
    ask(page, "a person please")
    ask(page, f"write to {'a' * 90}@example.org")
    assert kept(page_server, page)[2].text == "write to [email]"
    ask(page, "steps")
    page.wait_for_timeout(2500)  # what is followed tells all of it once more
    assert page.locator(".message.user").count() == 3


def test_an_answer_can_be_stopped_and_asked_for_again(visit, page_server):
    page = visit(**EN)
    send(page, "slow long")
    page.wait_for_function("document.querySelector('.writing .text')?.textContent.length > 40")
    page.get_by_role("button", name="Stop").click()
    trouble(page, "You stopped this answer.")
    page.locator(".send:visible").wait_for()
    until = time.time() + 10
    while kept(page_server, page)[0].state != "interrupted":
        assert time.time() < until
        time.sleep(0.2)
    again(page)
    trouble(page, "This message has no answer yet.")
    page.get_by_role("button", name="Try again").click()
    page.locator(REPLY).wait_for()
    page.wait_for_selector(".stop", state="hidden", timeout=40_000)
    assert [m.state for m in kept(page_server, page)] == ["answered", "said"]


@pytest.mark.parametrize(
    ("how", "thanks", "label", "four"),
    [
        (EN, "thanks", "How was this conversation?", "4 of 5"),
        (ZH, "谢谢", "这次对话您满意吗？", "4 分，满分 5 分"),
    ],
)
def test_a_rating_is_asked_for_once(visit, page_server, how, thanks, label, four):
    page = visit(**how)
    ask(page, "how much is a card?")
    assert page.get_by_role("group", name=label).count() == 0
    ask(page, thanks)
    page.get_by_role("button", name=four).click()
    page.wait_for_selector(".rating", state="detached")
    with page_server.desk.conversations.database.read() as session:
        assert session.get(ConversationRow, conversation_of(page)).rating == 4
    ask(page, thanks)
    assert page.locator(".rating").count() == 0
    choose(page, "New conversation" if how is EN else "新对话")
    assert page.locator(".rating").count() == 0
    ask(page, "steps")
    choose(page, "New conversation" if how is EN else "新对话")
    assert page.locator(".rating").count() == 1


def test_conversations_are_kept_listed_downloaded_and_deleted(visit, page_server):
    page = visit(**EN, accept_downloads=True)
    ask(page, "how much is a card?")
    first = conversation_of(page)
    choose(page, "New conversation")
    again(page)
    assert page.locator(".message").count() == 0
    ask(page, f"steps {CARD.replace(' ', '')[:12]}")
    again(page)
    assert page.locator(".message").count() == 2
    choose(page, "Earlier conversations")
    entries = page.locator("dialog .entry .title")
    assert entries.all_inner_texts()[1] == "how much is a card?"
    entries.nth(1).click()
    page.get_by_text("Sources (2)").wait_for()
    assert conversation_of(page) == first
    with page.expect_download() as text:
        choose(page, "Download as text")
    said = Path(text.value.path()).read_text(encoding="utf-8-sig")
    assert "how much is a card?" in said
    assert "Source 1: All fees at a glance" in said
    with page.expect_download() as exported:
        choose(page, "Download as JSON")
    data = json.loads(Path(exported.value.path()).read_text(encoding="utf-8"))
    assert data["messages"][1]["quotes"][0]["article"] == "account-fees"
    choose(page, "Delete this conversation")
    page.get_by_role("button", name="Cancel").click()
    assert page_server.desk.conversations.has(first)
    choose(page, "Delete this conversation")
    page.get_by_role("button", name="Delete it").click()
    page.locator(".toast", has_text="The conversation is deleted.").wait_for()
    assert not page_server.desk.conversations.has(first)
    choose(page, "Earlier conversations")
    assert page.locator("dialog .entry").count() == 1


def test_two_tabs_share_the_list_and_a_conversation(visit, page_server):
    one = visit(**EN)
    ask(one, "how much is a card?")
    two = one.context.new_page()
    two.goto(page_server.url)
    two.get_by_text("Sources (2)").wait_for()
    choose(two, "Earlier conversations")
    assert two.locator("dialog .entry").count() == 1
    choose(one, "New conversation")
    ask(one, "steps")
    two.wait_for_function("document.querySelectorAll('dialog .entry').length === 2")
    two.keyboard.press("Escape")
    choose(one, "Earlier conversations")
    one.locator("dialog .entry").nth(1).click()
    one.get_by_text("Sources (2)").wait_for()
    ask(one, "steps once more")
    two.get_by_text("steps once more").wait_for()


@pytest.mark.parametrize(
    ("how", "remove", "anyway"),
    [(EN, "Remove it", "Send anyway"), (ZH, "去掉卡号", "仍然发送")],
)
def test_a_card_number_is_asked_about(visit, page_server, how, remove, anyway):
    page = visit(**how)
    before = len(page_server.answerer.asked)
    send(page, f"my card {CARD} is lost")
    page.get_by_role("button", name=remove).click()
    assert page.input_value(INPUT) == "my card is lost"
    for harmless in ("my card 1234 5678 9012 3456", "call +44 20 7946 0123"):
        ask(page, harmless)
    assert len(page_server.answerer.asked) == before + 2
    send(page, "卡号４１１１１１１１１１１１１１１１")
    page.keyboard.press("Escape")
    assert len(page_server.answerer.asked) == before + 2
    send(page, "my card 4111-1111-1111-1111 is lost")
    page.get_by_role("button", name=anyway).click()
    page.locator(REPLY).nth(2).wait_for()
    assert kept(page_server, page)[4].text == "my card [card] is lost"
    assert "4111" not in page.evaluate(f"localStorage.getItem('{KEPT}')")


@pytest.mark.parametrize(
    ("how", "wish", "soon", "withs", "joined", "typing", "back", "delivered"),
    [
        (
            EN,
            "Talk to a person",
            "Somebody joins you here soon.",
            "You are talking to ann.",
            "ann has joined.",
            "ann is typing…",
            "The automatic assistant is here again.",
            "Delivered",
        ),
        (
            ZH,
            "转人工",
            "人工客服稍后会在这里与您对话。",
            "ann 正在为您服务。",
            "ann 已加入对话。",
            "ann 正在输入……",
            "现在由自动助手继续为您服务。",
            "已送达",
        ),
    ],
)
def test_a_person_joins_and_leaves(
    visit, page_server, how, wish, soon, withs, joined, typing, back, delivered
):
    page = visit(**how)
    usual = page_server.handoffs.usual_wait
    page_server.handoffs.usual_wait = lambda: None
    ask(page, "how much is a card?")
    page.get_by_role("button", name=wish).click()
    page.get_by_text(soon).wait_for()
    assert page.get_by_role("button", name=wish).count() == 0
    page_server.handoffs.usual_wait = usual
    handoff = handoff_of(page_server, page)
    page_server.handoffs.take(handoff.id, "ann")
    page.get_by_text(withs).wait_for()
    page.get_by_text(joined).last.wait_for()
    send(page, "are you there?")
    page.get_by_text(delivered).wait_for()
    assert page.locator(REPLY).count() == 2
    page_server.handoffs.type(handoff.id, "ann")
    page.get_by_text(typing).wait_for()
    hide(page)
    page_server.desk.conversations.say(handoff.conversation, "Hello <b>you</b>!", "person", "ann")
    page.get_by_text("Hello <b>you</b>!").first.wait_for()
    assert page.locator(".message.person .name").inner_text() == "ann"
    assert page.title().startswith("(1) ")
    hide(page, is_hidden=False)
    assert not page.title().startswith("(")
    assert page.locator(".message.user").count() == 3
    page_server.handoffs.close(handoff.id, "ann")
    page.get_by_text(back).last.wait_for()
    page.wait_for_selector(".bottom .person", state="hidden")
    assert page.get_by_role("button", name=wish).count() == 1
    assert page.locator(".rating").count() == 1
    ask(page, "steps")
    again(page)
    page.get_by_text("Hello <b>you</b>!").wait_for()


@pytest.mark.parametrize(
    ("how", "away", "label", "leave", "until"),
    [
        (
            EN,
            r"Somebody answers you here on \w+day at \d\d:00",
            "How can we reach you if you leave?",
            "Leave it",
            "Your contact is kept until",
        ),
        (
            ZH,
            r"人工客服将于(星期|周).\s?\d\d:00 在这里答复您",
            "如果您要离开，我们怎样联系您？",
            "留下联系方式",
            "您的联系方式保留到",
        ),
    ],
)
def test_outside_hours_a_way_to_be_reached_can_be_left(
    visit, page_server, how, away, label, leave, until
):
    page = visit(**how, timezone_id="Asia/Shanghai")
    opening = page_server.close_people()
    ask(page, "I want a person" if how is EN else "我要人工")
    told = page.locator(".bottom .person p").first
    told.wait_for()
    assert re.search(away, told.inner_text())
    # In the customer's own time: nine o'clock in UTC is five in the afternoon in Shanghai.
    assert f"{(opening.hour + 8) % 24:02d}:00" in told.inner_text()
    page.get_by_label(label).fill("ann@example.org")
    page.get_by_role("button", name=leave).click()
    page.locator(".thanks", has_text=until).wait_for()
    again(page)
    page.locator(".thanks", has_text=until).wait_for()


def test_seven_tabs_share_one_stream(visit, page_server):
    first = visit(**EN)
    streams = []
    first.context.on("request", lambda r: "/events" in r.url and streams.append(r))
    ask(first, "a person please")
    first.locator(".bottom .person p").wait_for()
    tabs = [first]
    for _ in range(6):
        tab = first.context.new_page()
        tab.goto(page_server.url)
        tab.locator(".bottom .person p").wait_for()
        tabs.append(tab)
    handoff = handoff_of(page_server, first)
    page_server.handoffs.take(handoff.id, "ann")
    page_server.desk.conversations.say(handoff.conversation, "Hello all", "person", "ann")
    for tab in tabs:
        tab.get_by_text("Hello all").first.wait_for()
    assert len(streams) == 1
    first.close()
    page_server.desk.conversations.say(handoff.conversation, "Still here", "person", "ann")
    for tab in tabs[1:]:
        tab.get_by_text("Still here").first.wait_for()
    send(tabs[3], "thank you")
    tabs[3].get_by_text("Delivered").wait_for()
    tabs[5].get_by_text("thank you").wait_for()
    page_server.handoffs.close(handoff.id, "ann")
    for tab in tabs[1:]:
        tab.wait_for_selector(".bottom .person", state="hidden")
        assert tab.get_by_text("Hello all").count() == 1


@pytest.mark.parametrize(
    ("how", "broken", "retry"),
    [
        (EN, "The connection broke. Your message is kept.", "Try again"),
        (ZH, "连接中断了，您的消息已保留。", "重试"),
    ],
)
def test_a_broken_connection_loses_nothing(visit, page_server, how, broken, retry):
    page = visit(**how)
    keys = []
    page.on(
        "request", lambda r: "completions" in r.url and keys.append(r.headers["idempotency-key"])
    )
    page.route("**/v1/chat/completions", lambda route: route.abort())
    send(page, "steps")
    trouble(page, broken)
    again(page)
    page.get_by_text("steps").wait_for()
    page.unroute("**/v1/chat/completions")
    before = len(page_server.answerer.asked)
    page.get_by_role("button", name=retry).click()
    page.locator(REPLY).wait_for()
    assert len(page_server.answerer.asked) == before + 1
    assert len(set(keys)) == 1
    assert page.locator(".message.user").count() == 1
    assert len(kept(page_server, page)) == 2


def test_a_server_that_goes_in_mid_answer_is_asked_again(visit, page_server):
    page = visit(**EN)
    send(page, "slow long")
    page.wait_for_function("document.querySelector('.writing .text')?.textContent.length > 40")
    page_server.stop()
    try:
        trouble(page, "The connection broke. Your message is kept.")
    finally:
        page_server.start()
    page.evaluate("dispatchEvent(new Event('online'))")
    page.wait_for_selector(".trouble", state="detached")
    page.locator(REPLY).wait_for(timeout=40_000)
    page.wait_for_selector(".stop", state="hidden", timeout=40_000)
    assert [m.state for m in kept(page_server, page)] == ["answered", "said"]


def test_a_turn_that_fails_can_be_tried_again(visit, page_server):
    page = visit(**EN)
    page_server.answerer.failing = True
    send(page, "steps")
    trouble(page, "Something went wrong on our side. Your message is kept.")
    page_server.answerer.failing = False
    page.get_by_role("button", name="Try again").click()
    page.locator(REPLY, has_text="3. Tap Freeze.").wait_for()
    assert page.locator(".message", has_text="Do this:").count() == 1


@pytest.mark.parametrize(
    ("how", "told"),
    [
        (EN, "You are offline. What you write stays here."),
        (ZH, "当前没有网络，您输入的内容会保留在这里。"),
    ],
)
def test_offline_is_told_and_what_was_sent_goes_out_later(visit, how, told):
    page = visit(**how)
    page.context.set_offline(True)
    page.get_by_text(told).wait_for()
    send(page, "steps")
    page.locator(".trouble").wait_for()
    page.context.set_offline(False)
    page.locator(REPLY).wait_for()
    assert page.locator(".offline").is_hidden()
    assert page.locator(".message.user").count() == 1


@pytest.mark.parametrize(
    ("how", "wait", "resend"),
    [
        (EN, r"You can send yours again in \d+ s", "Send again"),
        (ZH, r"\d+ 秒后可以重新发送", "重新发送"),
    ],
)
def test_too_many_questions_count_down(visit, page_server, how, wait, resend):
    page = visit(**how)
    send(page, "limited")
    button = page.get_by_role("button", name=resend)
    button.wait_for()
    assert re.search(wait, page.locator(".trouble").inner_text())
    assert button.is_disabled()
    page.wait_for_function("!document.querySelector('.trouble button').disabled")
    page.route(
        "**/v1/chat/completions",
        lambda r: r.fulfill(
            status=503, headers={"Retry-After": "30"}, json={"error": {"code": "full"}}
        ),
    )
    button.click()
    page.get_by_text(re.compile("30|29")).first.wait_for()


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_conversation_that_is_gone_gives_the_text_back(visit, page_server, status):
    page = visit(**EN)
    ask(page, "how much is a card?")
    gone = conversation_of(page)
    page.route(
        "**/v1/chat/completions", lambda r: r.fulfill(status=status, json={"error": {"code": "x"}})
    )
    send(page, "and a second one?")
    page.get_by_text("The earlier conversation can no longer be opened").first.wait_for()
    assert page.input_value(INPUT) == "and a second one?"
    page.unroute("**/v1/chat/completions")
    page.keyboard.press("Enter")
    page.locator(REPLY).wait_for()
    assert conversation_of(page) != gone


def test_after_a_deletion_elsewhere_a_new_conversation_begins(visit, page_server):
    page = visit(**EN)
    ask(page, "how much is a card?")
    gone = conversation_of(page)
    page_server.desk.conversations.delete(gone)
    send(page, "and a second one?")
    page.get_by_text("The earlier conversation can no longer be opened").first.wait_for()
    assert not page_server.desk.conversations.has(gone)
    page.keyboard.press("Enter")
    page.locator(REPLY).wait_for()
    assert conversation_of(page) != gone


@pytest.mark.parametrize(
    ("how", "told"),
    [(EN, "We could not confirm who you are."), (ZH, "无法确认您的身份。")],
)
def test_a_customer_whom_the_site_has_not_signed_rightly_is_told(visit, how, told):
    page = visit(**how)
    refused = {"error": {"code": "http_403"}}
    page.route("**/v1/conversations", lambda route: route.fulfill(status=403, json=refused))
    send(page, "steps")
    page.locator(".toast", has_text=told).wait_for()
    assert page.input_value(INPUT) == "steps"
    assert page.locator(".message").count() == 0
    page.unroute("**/v1/conversations")
    page.keyboard.press("Enter")
    page.locator(REPLY).wait_for()


def test_a_deleted_conversation_is_told_when_the_page_opens(visit, page_server):
    page = visit(**ZH)
    ask(page, "补卡多少钱？")
    page.fill(INPUT, "还没写完")
    page_server.desk.conversations.delete(conversation_of(page))
    again(page)
    page.get_by_text("之前的对话已无法打开").first.wait_for()
    assert page.input_value(INPUT) == "还没写完"
    assert page.locator(".message").count() == 0


def test_a_message_that_cannot_be_sent_comes_back(visit, page_server):
    page = visit(**EN)
    send(page, "???")
    page.locator(".toast", has_text="A few words are needed.").wait_for()
    assert page.input_value(INPUT) == "???"
    page.fill(INPUT, "x" * 4001)
    assert page.get_by_text("Too long by 1").is_visible()
    assert page.locator(".send").is_disabled()


def test_in_a_frame_it_talks_to_the_page_around(visit, page_server):
    page = visit(**EN)
    around = """<iframe src="/?embed=1&lang=zh" style="width:380px;height:560px"></iframe><script>
      window.heard = []; window.kept = null;
      addEventListener("message", ({data, source}) => {
        if (!data.frontdesk) return;
        heard.push(data);
        if (data.do === "set") kept = data.value;
        if (data.do === "get") source.postMessage({frontdesk: "stored", value: kept}, "*");
      });
    </script>"""
    page.route("**/around", lambda route: route.fulfill(body=around, content_type="text/html"))
    page.goto(f"{page_server.url}/around")
    frame = page.frame_locator("iframe")
    frame.locator(INPUT).fill("补卡多少钱？")
    frame.locator(INPUT).press("Enter")
    frame.locator(REPLY).wait_for()
    assert json.loads(page.evaluate("window.kept"))[0]["title"] == "补卡多少钱？"
    page.evaluate(
        "document.querySelector('iframe').contentWindow.postMessage({frontdesk: 'shown', isShown: false}, '*')"
    )
    frame.locator(INPUT).fill("步骤")
    frame.locator(INPUT).press("Enter")
    page.wait_for_function(
        "window.heard.some(one => one.frontdesk === 'unread' && one.count === 1)"
    )
    frame.get_by_role("button", name="关闭聊天").click()
    page.wait_for_function("window.heard.some(one => one.frontdesk === 'close')")
    assert frame.locator(".top").bounding_box()["height"] < 56


def test_the_list_goes_to_no_page_around_that_the_browser_does_not_name(visit, page_server):
    page = visit(**EN)
    around = """<iframe src="/?embed=1" referrerpolicy="no-referrer" width=380 height=560></iframe>
      <script>window.heard = []; addEventListener("message", ({data}) => heard.push(data));</script>"""
    page.route("**/around", lambda route: route.fulfill(body=around, content_type="text/html"))
    # Chromium always names it, other browsers do not.
    embed = httpx.get(f"{page_server.url}/page/embed.js").text
    assert "location.ancestorOrigins?.[0]" in embed
    embed = embed.replace("location.ancestorOrigins?.[0]", "undefined")
    page.route(
        "**/page/embed.js*",
        lambda route: route.fulfill(body=embed, content_type="text/javascript"),
    )
    page.goto(f"{page_server.url}/around")
    frame = page.frame_locator("iframe")
    frame.locator(INPUT).fill("steps")
    frame.locator(INPUT).press("Enter")
    frame.locator(REPLY).wait_for()
    frame.get_by_role("button", name="Close the chat").click()
    page.wait_for_function("window.heard.some(one => one.frontdesk === 'close')")
    heard = json.dumps(page.evaluate("window.heard"))
    assert '"store"' not in heard
    assert "token" not in heard


def test_escape_closes_the_frame_wherever_the_focus_is_once_the_menu_is_closed(visit, page_server):
    page = visit(**EN)
    around = """<iframe src="/?embed=1" width=380 height=560></iframe>
      <script>window.heard = []; addEventListener("message", ({data}) => heard.push(data));</script>"""
    page.route("**/around", lambda route: route.fulfill(body=around, content_type="text/html"))
    page.goto(f"{page_server.url}/around")
    frame = page.frame_locator("iframe")
    frame.locator(".menu-holder > button").click()
    inside = page.frames[1]
    closes = "window.heard.filter(one => one.frontdesk === 'close').length"
    for is_closed in (0, 1):
        inside.evaluate("document.activeElement.blur()")
        page.keyboard.press("Escape")
        frame.locator(".menu").wait_for(state="hidden")
        page.wait_for_timeout(100)
        assert page.evaluate(closes) == is_closed


def test_only_the_page_s_own_files_are_given(page_server):
    with httpx.Client(base_url=page_server.url) as client:
        page = client.get("/").text
        main = re.search(r'src="(/page/main.js\?v=\w+)"', page).group(1)
        assert "immutable" in client.get(main).headers["cache-control"]
        assert client.get(main).headers["content-type"].startswith("text/javascript")
        plain = client.get("/page/chat.css")
        assert plain.headers["cache-control"] == "no-cache"
        assert (
            client.get(
                "/page/chat.css", headers={"if-none-match": plain.headers["etag"]}
            ).status_code
            == 304
        )
        for path in (
            "/page/..%2Fchat.py",
            "/page/%2e%2e/chat.py",
            "/page/__init__.py",
            "/page/logo",
            "/page/a/b.js",
        ):
            answer = client.get(path)
            assert "build_chat" not in answer.text
            assert answer.status_code == 404 or "<title>" in answer.text
