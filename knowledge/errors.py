"""Errors of the knowledge package.

KnowledgeError
├── ArticleError            an article cannot be read
├── DocumentError           a document of any kind cannot be read; the message is the reason
├── KnowledgeFolderError    the folder is missing or holds no article
├── IndexMismatchError      the index on disk is damaged or was built for something else
└── ModelNotFoundError      weights are missing or are not the ones that were expected
"""


class KnowledgeError(Exception):
    """Base class: the message says what was expected, what was found and what to do."""


class ArticleError(KnowledgeError):
    """Raised when one article cannot be read or its front matter is wrong."""


class DocumentError(KnowledgeError):
    """Raised when a document cannot be read; the message is the reason, the caller names it."""


class KnowledgeFolderError(KnowledgeError):
    """Raised when the knowledge folder is missing or holds nothing to read."""


class IndexMismatchError(KnowledgeError):
    """Raised when an index is damaged, or belongs to another embedder."""


class ModelNotFoundError(KnowledgeError):
    """Raised when model weights cannot be found or fail their checksum."""
