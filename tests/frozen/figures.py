"""Every public measure and model once, on the bundled study and on one with every complication."""

import warnings

import numpy as np
import pandas as pd

import lrnanalysis as lrn
from analysis_studies import complicated

#: Figures per table that are kept: the first rows, and the sum of each column of numbers.
ROWS = 4


def analyses():
    """The analyses that the figures are of, by name."""
    bundled, odd = lrn.load_example(), complicated()
    return {
        "bundled": bundled.analysis(),
        "bundled-all": bundled.analysis(
            attempts="all", status="all", not_reached_rule="after_first", rapid="nt10"
        ),
        "complicated": odd.analysis(activity="form-a"),
        "complicated-questions": odd.analysis(
            activity="form-a", level="question", score="adjusted", value="share", omitted="missing"
        ),
        "complicated-users": odd.analysis(activity="form-b", unit="user", attempts="best"),
    }


def of_analysis(one):
    """What the methods of an analysis give, by name."""
    found = {
        "flow": one.flow,
        "rules": one.rules[["value", "rows"]],
        "scores": one.scores,
        "times": one.times,
        "cells": one.cells.astype("str"),
        "max_scores": one.max_scores,
        "item_statistics": one.item_statistics(),
        "distractors": one.distractors(),
        "trace_lines": one.trace_lines(),
        "flags": one.flags()[["flag", "value"]],
        "thresholds": one.thresholds("nt10"),
        "thresholds-median": one.thresholds("median20", cap=10),
        "response_time_effort": one.response_time_effort(),
        "response_time_fidelity": one.response_time_fidelity("nt20"),
        "effort_validity": one.effort_validity(chance=0.25),
        "effort_summary": one.effort_summary(by="status"),
        "time_summary": one.time_summary(),
        "time_summary-by": one.time_summary(["status", "question_type"], unit="min"),
        "active_time": one.active_time(),
        "time_by_position": one.time_by_position(),
        "outliers": one.outliers("mad").astype("str"),
        "suspicious_times": one.suspicious_times(),
        "pacing": one.pacing(unit="min"),
        "pacing-limit": one.pacing(of="limit"),
        "reach": one.reach(),
        "speededness": one.speededness(),
        "session_summary": one.session_summary(),
        "status_counts": one.status_counts("activity_id"),
        "speed_model-items": one.speed_model().items,
        "speed_model-persons": one.speed_model().persons,
        "item_analysis": one.item_analysis().items,
        "item_analysis-scores": one.item_analysis().scores,
        "sessions": pd.DataFrame(
            {
                "elapsed": one.sessions.lrn.elapsed_time(unit="min"),
                "idle": one.sessions.lrn.idle_time(unit="min"),
                "share": one.sessions.lrn.active_share(),
                "progress": one.sessions.lrn.progress(),
                "percent": one.sessions.lrn.score_percent(),
                "attempt": one.sessions.lrn.attempt_number().astype("float64"),
            }
        ),
        "responses": one.responses.lrn.status().astype("str").value_counts().sort_index(),
        "choices": one.responses.lrn.choices()["choice"].value_counts().sort_index(),
    }
    try:
        found |= {
            "reliability": one.reliability(),
            "conditional_sem": one.conditional_sem(),
        }
    except lrn.MeasureError as error:
        found["reliability"] = pd.Series({"refused": str(error)[:20]})
    if one.decisions.level == "item":
        found["to_irw"] = one.to_irw()
        found["effort_moderated"] = one.effort_moderated("nt20")
    return found


def of_models():
    """What models, DIF, linking and equating give, by name."""
    points = lrn.load_example().analysis().scores
    right = (points > 0).astype(float).where(points.notna())
    group = pd.Series(np.where(np.arange(len(points)) % 2, "f", "m"), index=points.index)
    found = {}
    for name, matrix in (
        ("Rasch", right),
        ("2PL", right),
        ("3PL", right),
        ("PCM", points),
        ("GPCM", points),
        ("GRM", points),
        ("NRM", points),
    ):
        model = lrn.irt.fit(matrix, name)
        found |= {
            f"{name}-items": model.items.select_dtypes("number"),
            f"{name}-fit": pd.Series([model.loglik, model.aic, model.bic]),
            f"{name}-eap": model.abilities(),
            f"{name}-item_fit": model.item_fit().select_dtypes("number"),
        }
    model = lrn.irt.fit(right, "2PL", group=group)
    found |= {
        "2PL-groups": model.items.select_dtypes("number"),
        "2PL-model_fit": lrn.irt.fit(right.dropna(), "2PL").model_fit(),
        "2PL-person_fit": lrn.irt.fit(right, "2PL").person_fit(),
        "mantel_haenszel": lrn.dif.mantel_haenszel(points, group).select_dtypes("number"),
        "standardisation": lrn.dif.standardisation(points, group).select_dtypes("number"),
        "logistic": lrn.dif.logistic(points, group).select_dtypes("number"),
        "likelihood_ratio": lrn.dif.likelihood_ratio(right, group).select_dtypes("number"),
        "link": pd.Series(
            [
                getattr(lrn.linking.link(lrn.irt.fit(right[::2], "2PL"), model_b), name)
                for model_b in [lrn.irt.fit(right[1::2], "2PL")]
                for name in ("slope", "intercept")
            ]
        ),
    }
    totals = points.fillna(0).sum(axis=1).round()
    for method in ("mean", "linear", "equipercentile"):
        equated = lrn.equating.equate(totals[::2], totals[1::2], method=method)
        found[f"equate-{method}"] = equated.table.select_dtypes("number")
    return found


def shortened(table):
    """A table as plain JSON: its shape, its first rows, and the sums of its columns."""
    frame = table.to_frame("value") if isinstance(table, pd.Series) else table
    frame = frame.reset_index(drop=True)
    columns = {}
    for name, column in frame.items():
        if pd.api.types.is_bool_dtype(column.dtype) or not pd.api.types.is_numeric_dtype(column):
            values = column.astype("str").fillna("")
            columns[str(name)] = [*values.head(ROWS), int(values.str.len().sum())]
        else:
            numbers = column.astype("float64")
            kept = [*numbers.head(ROWS), numbers.sum(), float(numbers.isna().sum())]
            columns[str(name)] = [None if np.isnan(one) else float(f"{one:.10g}") for one in kept]
    return {"rows": len(frame), "columns": columns}


def figures():
    """All figures: name → table in short."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", lrn.LrnWarning)
        tables = {
            f"{name}/{measure}": table
            for name, one in analyses().items()
            for measure, table in of_analysis(one).items()
        } | {f"models/{measure}": table for measure, table in of_models().items()}
    return {name: shortened(table) for name, table in tables.items()}
