"""Renders what is kept of a customer, for how long, and how to delete it."""

import html

from assistant.company import Company
from assistant.web.article_page import PAGE

TITLES = {"en": "What we keep of this chat", "zh": "本聊天保留哪些内容"}
# A paragraph a line; {company} and {days} are filled in.
TEXTS = {
    "en": """
When you write here, {company} keeps your messages, the answers, and what they are based on.
Card and account numbers, identity numbers, e-mail addresses and telephone numbers are replaced
before anything is written down.
A program answers, on {company}'s own computers. A person reads the conversation if you ask for one,
or if you seem to be in danger.
{days} days after your last message, everything is deleted.
Your browser keeps a token that opens this conversation and its first words, and no cookie.
To delete the conversation at once, choose “Delete this conversation” in the chat's menu.
""",
    "zh": """
您在这里发送消息时，{company}会保留您的消息、答复以及答复的依据。
银行卡号、账号、证件号码、邮箱和电话号码在写入之前就会被替换。
答复由程序给出，程序运行在{company}自己的计算机上。如果您要求转人工，或者看起来处境危险，工作人员会阅读对话。
最后一条消息之后 {days} 天，全部内容会被删除。
您的浏览器只保存一个用于打开本对话的令牌和对话的开头，不使用 Cookie。
如需立即删除对话，请在聊天的菜单中选择“删除本对话”。
""",
}


def render_privacy(company: Company, lang: str, days: int) -> str:
    """Return the notice as an HTML page.

    Args:
        company: The company.
        lang: en or zh.
        days: How long conversations are kept.
    """
    name = html.escape(company.name.get(lang) or next(iter(company.name.values())))
    lines = TEXTS[lang].strip().format(company=name, days=days)
    # English paragraphs end in a full stop at the end of a line.
    paragraphs = lines.replace(".\n", ".\n\n").split("\n\n") if lang == "en" else lines.split("\n")
    return PAGE.format(
        lang="zh-CN" if lang == "zh" else "en",
        title=TITLES[lang],
        body="".join(f"<p>{paragraph}</p>" for paragraph in paragraphs),
        footer=name,
    )
