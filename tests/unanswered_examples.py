"""Questions that the demo bank's articles do not answer, the same one in several wordings.

The threshold of ``assistant.reports.question_groups`` was chosen on them: see
``test_question_groups.py``.
"""

ALIKE = (
    ("can I get a loan to buy a horse", "do you lend money for horses?", "loan for a racehorse", "可以贷款买马吗", "你们借钱给人买赛马吗"),
    ("do you insure cars", "can I get car insurance from you", "is there motor insurance", "你们有车险吗", "能在你们这里买汽车保险吗"),
    ("do you sell gold coins", "can I buy gold from the bank", "buying gold bars", "可以买金条吗", "你们卖黄金吗"),
    ("can my dog come into the branch", "are dogs allowed in your branches", "may I bring my dog inside", "可以带狗进网点吗", "网点允许带宠物狗吗"),
    ("do you have safe deposit boxes", "can I rent a safe deposit box", "safety deposit box price", "有保险箱出租吗", "租一个保险箱多少钱"),
    ("are you hiring", "how do I apply for a job at the bank", "any vacancies", "你们在招人吗", "怎么应聘你们银行"),
    ("can I open an account for my cat", "bank account for a pet", "account in my cat's name", "可以给猫开户吗", "能用宠物的名字开账户吗"),
    ("do you print photos on cards", "can I have my own picture on the card", "custom design for my card", "卡上可以印自己的照片吗", "能定制卡面吗"),
    ("is there parking at the branch", "where can I park when I visit", "do you have a car park", "网点有停车位吗", "去网点在哪里停车"),
    ("do you sponsor football clubs", "will the bank sponsor our team", "sponsorship for our local club", "你们赞助足球队吗", "银行可以赞助我们球队吗"),
    ("how do I become a shareholder", "can I buy shares of the bank", "is your stock listed", "怎么买你们银行的股票", "你们上市了吗，可以当股东吗"),
    ("can I pay my taxes through the app", "paying tax with the app", "pay income tax in your app", "可以用应用缴税吗", "在应用里交所得税"),
)  # fmt: skip


def keep_unanswered(desk, question, near=(), *, action="decline", lang="en", days=0, thumb=0):
    """Keep a question that got no answer, some days ago; return its conversation."""
    from datetime import timedelta

    from assistant.messages import Action, Reply
    from assistant.store.feedback import Feedback
    from assistant.store.tables import MessageRow, now

    conversation = desk.begin(question, "page")
    asked = desk.conversations.ask(conversation, question)
    reply = Reply("…", Action(action), "unsure", lang, nearest=tuple(near))
    kept = desk.conversations.answer(asked.id, reply, lambda _lang, _id: None, {})
    with desk.conversations.database.write() as session:
        session.get(MessageRow, kept.id).created = now() - timedelta(days=days)
    if thumb:
        Feedback(desk.conversations.database).judge(conversation, kept.number, thumb)
    return conversation
