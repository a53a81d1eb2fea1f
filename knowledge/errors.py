"""Errors of the knowledge package.

KnowledgeError
├── ArticleError            an article cannot be read
├── DocumentError           a document cannot be read; the message is the reason alone
├── KnowledgeFolderError    the folder is missing or holds no article
├── IndexMismatchError      the index on disk is damaged or was built for something else
└── ModelNotFoundError      weights are missing or fail their checksum
"""

# The last sentence of an error about an index on disk.
REBUILD = "Rebuild it with `python -m knowledge.build_index FOLDER`."


class KnowledgeError(Exception):
    """Base class: the message says what was expected, what was found and what to do."""


class ArticleError(KnowledgeError):
    """Raised when an article cannot be read or its front matter is invalid."""


class DocumentError(KnowledgeError):
    """Raised when a document cannot be read; the caller adds the path to the reason."""


class KnowledgeFolderError(KnowledgeError):
    """Raised when the knowledge folder is missing or holds nothing to read."""


class IndexMismatchError(KnowledgeError):
    """Raised when an index is damaged or belongs to another embedder."""


class ModelNotFoundError(KnowledgeError):
    """Raised when model weights cannot be found or fail their checksum."""
