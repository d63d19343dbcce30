"""`.lrn` on the responses table."""

from __future__ import annotations

from lrnanalysis.accessor.table import TableAccessor, on_table
from lrnanalysis.measures import answer_decoding, scores

__all__ = ["ResponsesAccessor"]


class ResponsesAccessor(TableAccessor, table="responses"):
    """`.lrn` on the responses table: one row per response."""

    status = on_table(
        scores.response_status,
        ">>> study.responses.lrn.status().value_counts().to_dict()",
        "{'scored': 6883, 'unattempted': 428, 'attempted': 82, 'unmarked': 59}",
    )
    choices = on_table(
        answer_decoding.choices,
        ">>> list(study.responses.lrn.choices().columns)[-2:]",
        "['slot', 'choice']",
    )
    values = on_table(answer_decoding.values, ">>> study.responses.lrn.values().iloc[0]", "['0']")
    decodable = on_table(
        answer_decoding.decodable,
        ">>> list(study.responses.lrn.decodable().columns)[:2]",
        "['responses', 'decoded']",
    )
    words = on_table(
        answer_decoding.words, ">>> float(study.responses.lrn.words().median())", "1.0"
    )
    score_percent = on_table(
        scores.score_percent,
        ">>> float(study.responses.lrn.score_percent().mean().round(1))",
        "58.6",
    )
