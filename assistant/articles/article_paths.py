"""Names of files in the folder of articles; none leads out of it."""

import re
from collections.abc import Collection
from pathlib import Path, PurePosixPath

from assistant.articles.errors import ArticleEditError
from knowledge.folder import articles_root

_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,79}")
# What can be changed as text; everything else is replaced by an upload.
EDITABLE = (".md", ".markdown", ".txt")


def existing(folder: Path, path: str) -> Path:
    """Return the file of an article.

    Args:
        folder: The knowledge folder.
        path: Its path in the folder of articles, with slashes.

    Raises:
        ArticleEditError: It leads out of the folder, or there is no such file.
        KnowledgeFolderError: There is no such folder.
    """
    file = inside(folder, path)
    if not file.is_file():
        raise ArticleEditError(
            f"Expected an article at {path}, found none. It may be gone.", key="gone", path=path
        )
    return file


def inside(folder: Path, path: str) -> Path:
    """Return where a path of an article is, whether or not there is a file.

    Raises:
        ArticleEditError: It leads out of the folder of articles, or through a link.
        KnowledgeFolderError: There is no such folder.
    """
    root = articles_root(folder).resolve()
    parts = PurePosixPath(path).parts
    is_plain = bool(parts) and "\\" not in path and "\0" not in path and not path.startswith("/")
    if not is_plain or any(part == ".." or part.startswith((".", "~$")) for part in parts):
        raise ArticleEditError(
            "Expected the path of an article in the folder, found another.", key="gone", path=path
        )
    file = root.joinpath(*parts)
    # A link on the way could lead anywhere.
    if any(step.is_symlink() for step in (file, *file.parents) if root in step.parents):
        raise ArticleEditError(
            f"Expected a file in the folder of articles at {path}, found a link."
        )
    return file


def new_path(folder: Path, name: str, lang: str, taken: Collection[str] = ()) -> str:
    """Return the path of a new article.

    It goes where the other articles of its language are: into a folder with the language's name,
    if there is one.

    Args:
        folder: The knowledge folder.
        name: Its id: small letters, digits and hyphens.
        lang: en or zh.
        taken: Paths that are others' although nothing is there yet.

    Raises:
        ArticleEditError: The name is no id.
    """
    if not _SLUG.fullmatch(name):
        raise ArticleEditError(
            f"Expected a name of small letters, digits and hyphens, such as card-delivery, found "
            f"{name[:80]!r}.",
            key="name",
            found=name[:80],
        )
    root = articles_root(folder)
    if (root / lang).is_dir():
        return f"{lang}/{name}.md"
    # Without folders of languages, two files of one name would collide.
    is_taken = (root / f"{name}.md").exists() or f"{name}.md" in taken
    return f"{name}.{lang}.md" if is_taken else f"{name}.md"


def slug_of(name: str) -> str:
    """Return the name of an upload as an id; "" if nothing of it can be one."""
    words = re.findall(r"[a-z0-9]+", Path(name).name.split(".")[0].lower())
    return "-".join(words)[:80].strip("-")
