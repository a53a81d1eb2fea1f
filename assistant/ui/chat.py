"""The chat page: Gradio hosts it, and the scripts in ``page/`` draw it."""

import html
import json

import gradio as gr

from assistant.company import Company
from assistant.web.page_routes import page_files, page_version

STYLES = ("chat.css", "messages.css")
# What other sites load is no part of the page.
APART = "widget."
# Seen only where the page's scripts do not run.
FALLBACK = (
    "This chat needs a recent browser with JavaScript. / 本聊天需要启用了 JavaScript 的新版浏览器。"
)


def build_chat(company: Company) -> gr.Blocks:
    """Return the page that hosts the chat; see ``page_head``. It asks over HTTP, as all clients do.

    Args:
        company: Gives the page its title.
    """
    title = " · ".join(dict.fromkeys(company.name.values()))
    page = gr.Blocks(analytics_enabled=False, title=title)
    with page:
        gr.HTML(f"<p>{html.escape(FALLBACK)}</p>")
    return page


def page_head(company: Company, keep_days: int, max_characters: int) -> str:
    """Return what goes into the head of the page: its styles, settings and scripts.

    Args:
        company: The company.
        keep_days: How long conversations are kept.
        max_characters: The longest message.
    """
    version = page_version()
    scripts = [name for name in page_files() if _is_script(name)]
    # Scripts import each other without a version; the map adds it.
    paths = {f"/page/{name}": f"/page/{name}?v={version}" for name in scripts}
    settings = _settings(company, keep_days, max_characters, version)
    shown = [paths[f"/page/{name}"] for name in scripts if not name.startswith("strings.zh")]
    return "\n".join([
        *(f'<link rel="stylesheet" href="/page/{name}?v={version}">' for name in STYLES),
        f'<script type="importmap">{_in_script({"imports": paths})}</script>',
        f'<script type="application/json" id="frontdesk-settings">{_in_script(settings)}</script>',
        *(f'<link rel="modulepreload" href="{path}">' for path in shown),
        f'<script type="module" src="{paths["/page/main.js"]}"></script>',
    ])  # fmt: skip


def _settings(
    company: Company, keep_days: int, max_characters: int, version: str
) -> dict[str, object]:
    look = company.look
    logo = f"/page/logo?v={version}" if look.logo else None
    return {
        "company": company.name,
        "greeting": company.greeting or None,
        "examples": company.examples,
        "look": {"accent": look.accent, "logo": logo},
        "keep_days": keep_days,
        "people": company.people is not None,
        "max_characters": max_characters,
        "version": version,
    }


def _is_script(name: str) -> bool:
    return name.endswith(".js") and not name.startswith(APART)


def _in_script(data: dict[str, object]) -> str:
    """Return JSON that cannot end the script that it stands in."""
    return json.dumps(data, ensure_ascii=False).replace("<", "\\u003c")
