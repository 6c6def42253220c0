"""What the dashboards are built from: panels in one style, and a page that numbers and places them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from grafana_foundation_sdk.builders import common as common_builders
from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.builders import prometheus, stat, statetimeline, table, timeseries
from grafana_foundation_sdk.models import common, dashboard
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

DATASOURCE = common.DataSourceRef(type_val="prometheus", uid="${datasource}")
WORKLOAD_PAGE = "predictive-autoscaler-workload"
_TAG = "predictive-autoscaler"
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_WHOLE_WIDTH = 24

Panel = stat.Panel | statetimeline.Panel | table.Panel | timeseries.Panel


@dataclass(frozen=True, slots=True)
class Query:
    """A PromQL expression and what its series are called, with labels as `{{label}}`."""

    expr: str
    legend: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: its heading, the query of its numbers, and their unit."""

    heading: str
    expr: str
    unit: str = "short"


def series(
    title: str, description: str, queries: Sequence[Query], unit: str = "short", from_zero: bool = True
) -> timeseries.Panel:
    """Lines over time. from_zero: the axis begins at 0, so what may fall below it has to say otherwise."""
    panel = timeseries.Panel().title(title).description(description).datasource(DATASOURCE).unit(unit)
    if from_zero:
        panel = panel.min(0)
    legend = common_builders.VizLegendOptions().display_mode(common.LegendDisplayMode.LIST)
    panel = panel.legend(legend.placement(common.LegendPlacement.BOTTOM).show_legend(True)).fill_opacity(5)
    for letter, query in zip(_LETTERS, queries, strict=False):
        panel = panel.with_target(_target(letter, query))
    return panel


def figure(
    title: str, description: str, expr: str, unit: str = "short", bad_from: float | None = None
) -> stat.Panel:
    """One present number; red from `bad_from` on."""
    steps = [dashboard.Threshold(value=None, color="text" if bad_from is None else "green")]
    if bad_from is not None:
        steps.append(dashboard.Threshold(value=bad_from, color="red"))
    thresholds = builders.ThresholdsConfig().mode(dashboard.ThresholdsMode.ABSOLUTE).steps(steps)
    target = _target("A", Query(expr)).instant()
    return (
        stat.Panel()
        .title(title)
        .description(description)
        .datasource(DATASOURCE)
        .unit(unit)
        .thresholds(thresholds)
        .color_mode(common.BigValueColorMode.VALUE)
        .graph_mode(common.BigValueGraphMode.NONE)
        .reduce_options(common_builders.ReduceDataOptions().calcs(["lastNotNull"]))
        .no_value("–")
        .with_target(target)
    )


def states(title: str, description: str, queries: Sequence[Query]) -> statetimeline.Panel:
    """Bands that say when something was so; each query gives 0 or 1."""
    words = {
        "0": dashboard.ValueMappingResult(text="no", color="transparent", index=0),
        "1": dashboard.ValueMappingResult(text="yes", color="orange", index=1),
    }
    panel = (
        statetimeline.Panel()
        .title(title)
        .description(description)
        .datasource(DATASOURCE)
        .mappings([dashboard.ValueMap(options=words)])
        .show_value(common.VisibilityMode.NEVER)
    )
    for letter, query in zip(_LETTERS, queries, strict=False):
        panel = panel.with_target(_target(letter, query))
    return panel


def listing(title: str, description: str, columns: Sequence[Column]) -> table.Panel:
    """A row for each workload; a click opens its page."""
    panel = table.Panel().title(title).description(description).datasource(DATASOURCE).filterable(True)
    for letter, column in zip(_LETTERS, columns, strict=False):
        target = _target(letter, Query(column.expr)).instant().format(PromQueryFormat.TABLE)
        unit = dashboard.DynamicConfigValue(id_val="unit", value=column.unit)
        panel = panel.with_target(target).override_by_name(column.heading, [unit])
    headings = {f"Value #{letter}": c.heading for letter, c in zip(_LETTERS, columns, strict=False)}
    organize = {"excludeByName": {"Time": True}, "renameByName": headings}
    link = builders.DashboardLink("Open the workload").url(
        f"/d/{WORKLOAD_PAGE}?${{datasource:queryparam}}&${{cluster:queryparam}}"
        "&var-namespace=${__data.fields.namespace}&var-name=${__data.fields.name}&${__url_time_range}"
    )
    return (
        panel.with_transformation(dashboard.DataTransformerConfig(id_val="merge", options={}))
        .with_transformation(dashboard.DataTransformerConfig(id_val="organize", options=organize))
        .data_links([link])
    )


def _target(letter: str, query: Query) -> prometheus.Dataquery:
    target = prometheus.Dataquery().ref_id(letter).expr(query.expr).datasource(DATASOURCE)
    return target.legend_format(query.legend) if query.legend else target


class Page:
    """A dashboard in the making: rows of panels from left to right, numbered as they come."""

    def __init__(self, uid: str, title: str, description: str) -> None:
        self._panels = 0
        source = builders.DatasourceVariable("datasource").label("Prometheus").type("prometheus")
        cluster = _choice("cluster", "predictive_autoscaler_build_info", "Cluster")
        others = builders.DashboardLink("Predictive autoscaler").type(dashboard.DashboardLinkType.DASHBOARDS)
        self._builder = (
            builders.Dashboard(title)
            .uid(uid)
            .description(description)
            .tags([_TAG])
            .editable()
            .refresh("30s")
            .time("now-6h", "now")
            .timezone("browser")
            .tooltip(dashboard.DashboardCursorSync.CROSSHAIR)
            .link(others.tags([_TAG]).as_dropdown(True).keep_time(True))
            .with_variable(source)
            # Servers of a single cluster have no such label: then all, which is none, is chosen.
            .with_variable(cluster.include_all(True).all_value(".*"))
        )

    def several(self, name: str, metric: str, label: str) -> None:
        """A variable of any number of the values that the label `name` has in `metric`."""
        self._builder.with_variable(
            _choice(name, metric, label).include_all(True).all_value(".*").multi(True)
        )

    def one(self, name: str, metric: str, label: str) -> None:
        """A variable of exactly one of them."""
        self._builder.with_variable(_choice(name, metric, label))

    def row(self, title: str) -> None:
        """Begin a row."""
        self._panels += 1
        self._builder.with_row(builders.Row(title).id(self._panels))

    def add(self, *panels: Panel, height: int) -> None:
        """Panels side by side, as wide as there is room."""
        for panel in panels:
            self._panels += 1
            panel.id(self._panels).span(_WHOLE_WIDTH // len(panels)).height(height)
            self._builder.with_panel(panel)

    def build(self) -> dashboard.Dashboard:
        """The finished dashboard."""
        return self._builder.build()


def _choice(name: str, metric: str, label: str) -> builders.QueryVariable:
    query = f"label_values({metric}, {name})"
    return (
        builders.QueryVariable(name)
        .label(label)
        .datasource(DATASOURCE)
        .query({"query": query, "refId": f"variable-{name}"})
        .definition(query)
        .refresh(dashboard.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(dashboard.VariableSort.ALPHABETICAL_ASC)
    )
