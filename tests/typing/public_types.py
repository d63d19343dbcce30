"""What type checkers see of the public API: checked by mypy and pyright, never run."""

from typing import Any, assert_type

import pandas as pd
from matplotlib.axes import Axes

import lrnanalysis as lrn

study = lrn.fetch(activity_id="numeracy", status=["Completed"], mintime="2026-01-01")
assert_type(study, lrn.SessionData)
lrn.fetch(activitty_id="numeracy")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
lrn.Query(activitty_id="numeracy")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
assert_type(lrn.read("sessions.json"), lrn.SessionData)
assert_type(study[:10], lrn.SessionData)

assert_type(study.sessions.lrn, lrn.accessor.SessionsAccessor)
assert_type(study.responses.lrn, lrn.accessor.ResponsesAccessor)
assert_type(study.items.lrn, lrn.accessor.ItemsAccessor)
minutes: "pd.Series[Any]" = study.sessions.lrn.active_time(unit="min")
summary: pd.DataFrame = study.items.lrn.time_summary("item_reference", unit="s")
study.items.lrn.time_sumary()  # type: ignore[attr-defined]  # pyright: ignore
study.items.lrn.time_summary(unit="days")  # type: ignore[arg-type]  # pyright: ignore
study.sessions.lrn.time_summary()  # type: ignore[attr-defined]  # pyright: ignore

analysis = study.analysis(attempts="first", not_reached="missing")
assert_type(analysis, lrn.Analysis)
assert_type(analysis.replace(attempts="all"), lrn.Analysis)
study.analysis(attempts="second")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
study.analysis(attemps="first")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
matrix: pd.DataFrame = analysis.scores
assert_type(analysis.sessions.lrn, lrn.accessor.SessionsAccessor)
assert_type(analysis.methods_text(), str)
assert_type(analysis.item_analysis(), lrn.ItemAnalysis)
alpha: "pd.Series[Any]" = analysis.reliability(confidence=0.9)
analysis.reliability(confidence="high")  # type: ignore[arg-type]  # pyright: ignore
thresholds: pd.DataFrame = analysis.thresholds("nt10", cap=10)
model = analysis.fit("2PL", group="metadata.group")
assert_type(model, lrn.irt.IRTModel)
assert_type(analysis.plot.times("item-05"), Axes)
analysis.plot.times("item-05", bin=3)  # type: ignore[call-arg]  # pyright: ignore
assert_type(analysis.plot.wright_map(model), Axes)
