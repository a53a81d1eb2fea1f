"""Renders an article as a web page with the cited words marked."""

import html

from knowledge.documents import Article

# Private-use characters mark the quote, since the Markdown renderer escapes all HTML.
_OPEN, _CLOSE = "\ue000", "\ue001"

# A page of text, with gaps for its language, title, body and footer.
PAGE = """<!doctype html>
<html lang="{lang}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 1.05rem/1.6 system-ui, "Noto Sans CJK SC", sans-serif; max-width: 42rem;
  margin: 0 auto; padding: 1.5rem 1rem 4rem; overflow-wrap: break-word; }}
mark {{ background: #ffe066; color: #1a1a1a; padding: .1em .15em; border-radius: .2em;
  scroll-margin-top: 4rem; }}
footer {{ color: GrayText; font-size: .9rem; margin-top: 2rem; }}
table {{ border-collapse: collapse; }} td, th {{ border: 1px solid GrayText; padding: .3em .6em; }}
</style>
</head>
<body>
<main><article>
<h1>{title}</h1>
{body}
</article></main>
<footer>{footer}</footer>
</body>
</html>
"""


def render_article(article: Article, start: int = 0, end: int = 0) -> str:
    """Return an article as an HTML page. HTML in the article is escaped.

    Args:
        article: The article.
        start: Where the cited words start in the article's text.
        end: Where they end. A range outside the text marks nothing.
    """
    text = article.text
    if 0 <= start < end <= len(text):
        text = f"{_clean(text[:start])}{_OPEN}{_clean(text[start:end])}{_CLOSE}{_clean(text[end:])}"
    else:
        text = _clean(text)
    body = rendered(text).replace(_OPEN, '<mark id="quote">', 1).replace(_CLOSE, "</mark>", 1)
    return PAGE.format(
        lang="zh-CN" if article.lang == "zh" else "en",
        title=html.escape(article.title),
        body=body,
        footer=html.escape(_footer(article)),
    )


def rendered(text: str) -> str:
    """Return Markdown as HTML. HTML in it is escaped, and pictures are left out."""
    from markdown_it import MarkdownIt

    renderer = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
    return str(renderer.render(text))


def _clean(text: str) -> str:
    return text.replace(_OPEN, "").replace(_CLOSE, "")


def _footer(article: Article) -> str:
    since = f" · {article.valid_from}" if article.valid_from else ""
    return f"{article.path}{since}"
