"""Which cases make which file."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tuning.evidence_model.cases import (
    LANGUAGES,
    EvidenceCase,
    company_cases,
    customer_cases,
    xquad_cases,
)
from tuning.evidence_model.later_cases import made_cases, talk_cases

if TYPE_CHECKING:
    from knowledge.models.embedder import Embedder
    from knowledge.models.span_embedder import SpanEmbedder
    from tuning.customer_messages import Part

# Of all that is chosen at random.
SEED = 0


def make_cases(
    embedder: "Embedder", spans: "Sequence[SpanEmbedder]"
) -> dict[str, list[EvidenceCase]]:
    """Return the cases of the parts ``train``, ``dev`` and, with the public data, ``xquad``.

    ``customers`` are messages as they are typed, ``customers_dev`` those for development; ``talks``
    are later turns of conversations, ``made`` those made by rule.
    """
    from tqdm import tqdm

    from tuning.companies import load_companies
    from tuning.customer_messages import help_centres
    from tuning.customer_talks import talks_of
    from tuning.public_data import is_data_missing

    parts: dict[str, list[EvidenceCase]] = {}
    sources: tuple[tuple[str, Part], ...] = (("customers", "train"), ("customers_dev", "dev"))
    for name, part in sources:
        centres = tqdm(help_centres(part), desc=name, unit="company")
        parts[name] = [case for c in centres for case in customer_cases(c, embedder, spans)]
    for lang in LANGUAGES:
        talks = tqdm(talks_of("train", lang), desc=f"talks, {lang}", unit="company")
        found = [case for of in talks for case in talk_cases(of, embedder, spans)]
        parts["talks"] = parts.get("talks", []) + found
    companies = tqdm(load_companies("train"), desc="made", unit="company")
    parts["made"] = [case for c in companies for case in made_cases(c, embedder, SEED)]
    for part in ("train", "dev"):
        companies = tqdm(load_companies(part), desc=part, unit="company")
        parts[part] = [case for c in companies for case in company_cases(c, embedder)]
    if not is_data_missing("evidence_model, without XQuAD"):
        parts["xquad"] = [case for lang in LANGUAGES for case in xquad_cases(lang, embedder)]
    return parts
