"""Draws each dashboard as it would look, from what the real Prometheus answered in the last run:
build/observability/panels.json becomes build/observability/pictures/<dashboard>.png."""
import json
import math
import re
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.ticker import FixedLocator, FuncFormatter

import files

OUT = files.ROOT / "build/observability"
BACK, PANEL, INK, FAINT = "#111217", "#181b1f", "#d8d9da", "#8e8e8e"
LINES = ["#73bf69", "#f2cc0c", "#8ab8ff", "#ff780a", "#f2495c", "#5794f2", "#b877d9", "#705da0",
         "#37872d", "#fade2a", "#c0d8ff", "#fa6400", "#c4162a", "#1f60c4", "#8f3bb8"]
NAMED = {"green": "#73bf69", "orange": "#ff9830", "red": "#f2495c"}
HEIGHT = 0.32  # inches of a unit of the grid
LEGEND = 8  # entries


def written(value, unit):
    """A value as Grafana shows it."""
    if not math.isfinite(value):
        return "–"
    if unit == "bytes":
        for name in ("B", "KiB", "MiB", "GiB"):
            if abs(value) < 1024 or name == "GiB":
                return f"{value:.3g} {name}"
            value /= 1024
    if unit == "percentunit":
        return f"{100 * value:.3g} %"
    if unit == "s":
        for name, seconds in (("d", 86400), ("h", 3600), ("min", 60)):
            if abs(value) >= seconds:
                return f"{value / seconds:.3g} {name}"
        for name, factor in (("s", 1), ("ms", 1e3), ("µs", 1e6)):
            if abs(value) * factor >= 1 or name == "µs" or value == 0:
                return f"{value * factor:.3g} {name if value else 's'}"
    suffix = {"reqps": " req/s", "ops": " ops/s"}.get(unit, "")
    return (f"{value:.0f}" if value == int(value) else f"{value:.3g}") + suffix


def legend_of(template, metric):
    return re.sub(r"\{\{(\w+)\}\}", lambda found: metric.get(found[1], ""), template) or "value"


def ticks_of(low, high, unit):
    """Round numbers of the unit that is shown."""
    scale = 1
    for least in {"bytes": (2**30, 2**20, 2**10), "s": (86400, 3600, 60, 1, 1e-3, 1e-6)}.get(unit, ()):
        if high >= least:
            scale = least
            break
    return [scale * at for at in plt.MaxNLocator(5).tick_values(low / scale, high / scale)
            if low <= scale * at <= high]


def series_of(panel, data):
    """(legend, instants, values) of each series of a panel; instants in seconds from the begin. Where
    it was not there, the value is not a number."""
    instants = [number * data["step"] for number in
                range(int((data["end"] - data["start"]) / data["step"]) + 1)]
    for target in panel["targets"]:
        for one in data["series"].get(target["expr"], []):
            points = {round((float(at) - data["start"]) / data["step"]): float(value)
                      for at, value in one["values"]}
            yield (legend_of(target["legendFormat"], one["metric"]), instants,
                   [points.get(number, math.nan) for number in range(len(instants))])


def colour_at(value, steps):
    colour = steps[0]["color"]
    for step in steps[1:]:
        if value >= step["value"]:
            colour = step["color"]
    return NAMED[colour]


def frame(axes, title):
    axes.set_facecolor(PANEL)
    axes.set_title(title, loc="left", color=INK, fontsize=9, fontweight="bold", pad=5)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.tick_params(colors=FAINT, labelsize=7, length=0)


def nothing(axes):
    axes.set_xticks([])
    axes.set_yticks([])
    axes.text(0.5, 0.5, "No data", color=FAINT, ha="center", va="center", transform=axes.transAxes)


def draw_lines(axes, panel, data):
    defaults = panel["fieldConfig"]["defaults"]
    stacked = defaults["custom"]["stacking"]["mode"] == "normal"
    drawn = list(series_of(panel, data))
    if not any(math.isfinite(value) for _, _, values in drawn for value in values):
        nothing(axes)
        return
    below = {}
    for number, (name, instants, values) in enumerate(drawn):
        colour = LINES[number % len(LINES)]
        if stacked:
            floor = [below.get(at, 0.0) for at in instants]
            values = [value + least for value, least in zip(values, floor)]
            below.update((at, value) for at, value in zip(instants, values) if math.isfinite(value))
            axes.fill_between(instants, floor, values, color=colour, alpha=0.25, linewidth=0)
        label = name if number < LEGEND else None
        axes.plot(instants, values, color=colour, linewidth=1.1, label=label,
                  marker="o" if sum(map(math.isfinite, values)) == 1 else None, markersize=3)
    if len(drawn) > LEGEND:
        axes.plot([], [], color=BACK, label=f"and {len(drawn) - LEGEND} more")
    finite = [value for line in axes.lines for value in line.get_ydata() if math.isfinite(value)]
    low, high = min(finite, default=0), max(finite, default=1)
    if "min" in defaults or low >= 0:
        low = min(defaults.get("min", 0), low)
    high = high if high > low else low + 1
    axes.set_ylim(low, high + 0.08 * (high - low))
    for step in defaults["thresholds"]["steps"][1:]:
        if step["value"] <= axes.get_ylim()[1]:
            axes.axhline(step["value"], color=NAMED[step["color"]], linewidth=0.8, linestyle="--")
    axes.set_xlim(0, data["end"] - data["start"])
    axes.grid(color="#2c3235", linewidth=0.5)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda at, _: f"{int(at) // 60}:{int(at) % 60:02}"))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda at, _: written(at, defaults["unit"])))
    axes.yaxis.set_major_locator(FixedLocator(ticks_of(*axes.get_ylim(), defaults["unit"])))
    axes.legend(loc="upper left", bbox_to_anchor=(0, -0.12), ncols=2, fontsize=6, frameon=False,
                labelcolor=INK, handlelength=1.2, borderaxespad=0, columnspacing=1.2)


def draw_figures(axes, panel, data):
    """The last value of each series, side by side."""
    defaults = panel["fieldConfig"]["defaults"]
    drawn = [(name, finite[-1]) for name, _, values in series_of(panel, data)
             if (finite := [value for value in values if math.isfinite(value)])]
    axes.set_xticks([])
    axes.set_yticks([])
    if not drawn:
        nothing(axes)
        return
    steps = defaults["thresholds"]["steps"]
    on_colour = panel["options"]["colorMode"] == "background"
    for number, (name, value) in enumerate(drawn):
        left, width = number / len(drawn), 1 / len(drawn)
        colour = colour_at(value, steps) if math.isfinite(value) else FAINT
        if on_colour:
            axes.add_patch(plt.Rectangle((left + 0.005, 0.02), width - 0.01, 0.96, color=colour,
                                         alpha=0.8, transform=axes.transAxes))
        axes.text(left + width / 2, 0.58, written(value, defaults["unit"]),
                  color="#ffffff" if on_colour else colour, fontsize=13, fontweight="bold",
                  ha="center", va="center", transform=axes.transAxes)
        axes.text(left + width / 2, 0.22, name, color=INK, fontsize=7, ha="center", va="center",
                  transform=axes.transAxes)


def draw(board, data):
    panels = board["panels"]
    rows = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in panels)
    width, height = 20.0, rows * HEIGHT + 0.7
    figure = plt.figure(figsize=(width, height), facecolor=BACK)
    figure.text(0.012, 1 - 0.35 / height, board["title"], color=INK, fontsize=15, fontweight="bold",
                va="center")
    for panel in panels:
        place = panel["gridPos"]
        left, wide = place["x"] / 24, place["w"] / 24
        top = 1 - (0.7 + place["y"] * HEIGHT) / height
        if panel["type"] == "row":
            figure.text(0.012, top - 0.5 * HEIGHT / height, f"▾ {panel['title']}", color=INK,
                        fontsize=11, va="center")
            continue
        tall = place["h"] * HEIGHT / height
        many = len(list(series_of(panel, data)))
        legend = min(many, LEGEND + 1) if panel["type"] == "timeseries" else 0
        under = (0.30 + 0.115 * math.ceil(legend / 2)) if legend else 0.1  # inches
        axes = figure.add_axes((left + 0.036 if legend else left + 0.012,
                                top - tall + under / height,
                                wide - (0.046 if legend else 0.02),
                                tall - (under + 0.36) / height))
        frame(axes, panel["title"])
        (draw_lines if panel["type"] == "timeseries" else draw_figures)(axes, panel, data)
    (OUT / "pictures").mkdir(exist_ok=True)
    path = OUT / "pictures" / f"{board['uid']}.png"
    figure.savefig(path, dpi=80, facecolor=BACK)
    plt.close(figure)
    return path


def main():
    answers = OUT / "panels.json"
    if not answers.exists():
        sys.exit("pictures: build/observability/panels.json is not there: run tests/observability/run first")
    data = json.loads(answers.read_text())
    for path in sorted(files.DASHBOARDS.glob("*.json")):
        print(draw(json.loads(path.read_text()), data).relative_to(files.ROOT))


if __name__ == "__main__":
    main()
