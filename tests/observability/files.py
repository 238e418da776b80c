"""What dashboards, rules and the pinned names say."""
import json
import pathlib
import re

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
RULES = ROOT / "deploy/helm/rapport/files/rules"
DASHBOARDS = ROOT / "deploy/helm/rapport/files/dashboards"
RUNBOOKS = ROOT / "deploy/runbooks"

# Not ours: the metrics of the library that serves them tell of scrapes, not of the suite.
LEFT_ALONE = {"exposer_transferred_bytes_total", "exposer_scrapes_total",
              "exposer_request_latencies"}
# Prometheus' own, of each scrape.
OF_PROMETHEUS = {"up"}


def declared():
    """Metric name to its labels, as pinned."""
    lines = (ROOT / "tests/unit/common/telemetry/metric_names.txt").read_text().splitlines()
    named = (line.split(" ", 1) for line in lines if line and not line.startswith("#"))
    return {name: set() if labels == "-" else set(labels.split(", ")) for name, labels in named}


def rules():
    for path in sorted(RULES.glob("*.yaml")):
        for group in yaml.safe_load(path.read_text())["groups"]:
            for rule in group["rules"]:
                yield path.name, rule


def panels():
    """(dashboard, panel, its queries) of each panel that has queries."""
    for path in sorted(DASHBOARDS.glob("*.json")):
        for panel in json.loads(path.read_text())["panels"]:
            if "targets" in panel:
                yield path.stem, panel["title"], [target["expr"] for target in panel["targets"]]


def metrics_in(expression):
    """The names of metrics in a query; a histogram's parts stand for it."""
    bare = re.sub(r'"[^"]*"', '""', expression)
    found = set()
    for name in re.findall(r"\b((?:rapport|process|exposer)_\w+|up)\b(?!\s*\()", bare):
        found.add(re.sub(r"_(bucket|count|sum)$", "", name))
    return found


def recorded_in(expression):
    return set(re.findall(r"\brapport:[\w:]+", expression))


def used():
    found = set()
    for _, rule in rules():
        found |= metrics_in(rule["expr"])
    for _, _, queries in panels():
        for query in queries:
            found |= metrics_in(query)
    return found
