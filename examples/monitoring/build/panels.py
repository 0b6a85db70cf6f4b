"""What the dashboards have in common: variables, and panels that have a unit, a description and a legend."""

from __future__ import annotations

from typing import Any, TypeVar

from grafana_foundation_sdk.builders import common, dashboard, heatmap, prometheus, stat, timeseries
from grafana_foundation_sdk.models.common import LegendDisplayMode, LegendPlacement
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DataSourceRef,
    VariableHide,
    VariableRefresh,
    VariableSort,
)
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

PANEL_HEIGHT = 8
FULL_WIDTH = 24
SOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")

Panel = TypeVar("Panel", bound=Any)


def board(uid: str, title: str, description: str) -> dashboard.Dashboard:
    """Return an empty dashboard, with the variables datasource, job and instance."""
    return (
        dashboard.Dashboard(title)
        .uid(uid)
        .description(description)
        .tags(["opentelemetry", "remote-write"])
        .time("now-15m", "now")
        .refresh("10s")
        .timezone("browser")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .readonly()
        .with_variable(dashboard.DatasourceVariable("datasource").label("data source").type("prometheus"))
        .with_variable(_choice("job", "label_values(<<gauge target_info {info} {}>>, job)"))
        .with_variable(_choice("instance", 'label_values(<<gauge target_info {info} {job=~"$job"}>>, instance)'))
    )


def _choice(name: str, query: str) -> dashboard.QueryVariable:
    return (
        dashboard.QueryVariable(name)
        .label(name)
        .datasource(SOURCE)
        .query(query)
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.ALPHABETICAL_ASC)
        .hide(VariableHide.DONT_HIDE)
        .multi(True)
        .include_all(True)
        .all_value(".*")
    )


def graph(title: str, description: str, unit: str, *targets: prometheus.Dataquery, width: int = 8) -> Any:
    """Return a panel of lines over time, from 0 upwards."""
    legend = (
        common.VizLegendOptions()
        .display_mode(LegendDisplayMode.LIST)
        .placement(LegendPlacement.BOTTOM)
        .show_legend(True)
    )
    panel = timeseries.Panel().min(0).fill_opacity(10).legend(legend)
    return _finished(panel, title, description, unit, targets, width)


def number(title: str, description: str, unit: str, *targets: prometheus.Dataquery, width: int = 6) -> Any:
    """Return a panel of one number."""
    return _finished(stat.Panel(), title, description, unit, targets, width)


def heat(
    title: str, description: str, unit: str, target: prometheus.Dataquery, *, native: bool, width: int = 16
) -> Any:
    """Return a heat map of a histogram's buckets over time."""
    panel = heatmap.Panel().calculate(calculate=False).y_axis(heatmap.YAxisConfig().unit(unit))
    if not native:
        target = target.format(PromQueryFormat.HEATMAP)  # classic buckets are cumulative; native ones are not
    return _finished(panel, title, description, unit, [target], width)


def query(promql: str, legend: str = "", *, exemplars: bool = False) -> prometheus.Dataquery:
    """Return a query of the chosen data source."""
    target = prometheus.Dataquery().expr(promql).legend_format(legend).datasource(SOURCE)
    return target.exemplar(True) if exemplars else target


def _finished(panel: Any, title: str, description: str, unit: str, targets: Any, width: int) -> Any:
    panel = panel.title(title).description(description).unit(unit).datasource(SOURCE)
    panel = panel.height(PANEL_HEIGHT).span(width)
    for place, target in enumerate(targets):
        panel = panel.with_target(target.ref_id(chr(ord("A") + place)))
    return panel
