#!/usr/bin/env python3
# Copyright 2026 The stint authors.
# SPDX-License-Identifier: Apache-2.0

"""JSON of serve_bench -> one table.

usage: table.py FILE...

Rows of the same data, shape, k, callers and caches stand together. Several files, or several
repetitions in one, give the median of each figure. Columns that begin with x say how many times
as long as that kind of stint's model an engine takes.
"""

import json
import re
import statistics
import sys

NAME = re.compile(
    r"(?P<data>\w+)/items:(?P<items>\d+)/units:(?P<units>\d+)/k:(?P<k>\d+)"
    r"/callers:(?P<callers>\d+)/(?P<caches>hot|cold)/(?P<engine>\w+)")


def read(paths):
    """Returns the contexts and {group: {engine: {figure: median}}}, in the order of the files."""
    contexts, samples, failed = [], {}, []
    for path in paths:
        try:
            with open(path, encoding="utf-8") as file:
                report = json.load(file)
        except (OSError, ValueError) as error:
            sys.exit(f"table.py: {path} is no report of a benchmark: {error}")
        contexts.append(report["context"])
        for run in report["benchmarks"]:
            match = NAME.match(run["name"])
            if not match or run.get("run_type") == "aggregate":
                continue
            if run.get("error_occurred"):
                failed.append(f"{run['name']}: {run['error_message']}")
                continue
            parts = match.groupdict()
            engine = parts.pop("engine")
            engines = samples.setdefault(tuple(parts.values()), {})
            engines.setdefault(engine, []).append(run)
    table = {}
    for group, engines in samples.items():
        for engine, runs in engines.items():
            figures = {
                key: statistics.median(run[key] for run in runs)
                for key, value in runs[0].items()
                if isinstance(value, (int, float))
            }
            for count in ("checked", "wrong", "own_checked", "own_wrong"):
                if count in figures:
                    figures[count] = sum(run[count] for run in runs)
            figures["label"] = runs[0].get("label", "")
            table.setdefault(group, {})[engine] = figures
    return contexts, table, failed


def microseconds(value):
    return f"{value:,.0f}" if value >= 99.5 else f"{value:.1f}"


def exactness(figures):
    """"yes" only if no answer differs from the float32 model's."""
    if figures["checked"] == 0:
        return "a part of an answer"
    if figures["wrong"] == 0:
        return f"yes, of {figures['checked']:,.0f}"
    text = f"{figures['wrong']:,.0f} of {figures['checked']:,.0f} wrong"
    text += f", overlap {100 * figures['overlap']:.2f} %"
    if figures.get("own_checked"):
        own = "exact" if figures["own_wrong"] == 0 else f"{figures['own_wrong']:.0f} wrong"
        text += f"; {own} by its own rows"
    return text


def rows(table):
    kinds = []  # of stint's models, in the order they were run
    for engines in table.values():
        kinds += [
            e for e in engines
            if e.startswith("stint_") and not e.endswith(("_batch", "_alone")) and e not in kinds
        ]
    head = ["engine", "p50 us", "p95", "p99", "answers/s", "bytes", "floor us", "share of floor"]
    yield head + ["x " + kind[len("stint_"):] for kind in kinds] + ["exact"]
    for (data, items, units, k, callers, caches), engines in table.items():
        recipe = next(iter(engines.values()))["label"].split(";")[0]
        title = f"{data} {int(items):,} x {units}, k = {k}, {callers} caller"
        title += ("s side by side" if callers != "1" else "") + f", {caches} caches ({recipe})"
        yield [f"**{title}**"]
        for engine, figures in engines.items():
            row = [engine] + [microseconds(figures[p]) for p in ("p50_us", "p95_us", "p99_us")]
            row.append(f"{figures['answers_per_s']:,.0f}")
            row.append(f"{figures['bytes']:,.0f}")
            row.append(microseconds(figures["floor_us"]))
            row.append(f"{100 * figures['floor_us'] / figures['p50_us']:.0f} %")
            for kind in kinds:
                other = engines.get(kind)
                row.append(f"{figures['p50_us'] / other['p50_us']:.2f}" if other else "")
            yield row + [exactness(figures)]


def main():
    if len(sys.argv) < 2 or sys.argv[1] in ("-h", "--help"):
        print(__doc__.strip(), file=sys.stderr)
        return 2
    contexts, table, failed = read(sys.argv[1:])
    lines = list(rows(table))
    columns = len(lines[0])
    lines = [line + [""] * (columns - len(line)) for line in lines]
    # A title may run over the columns beside it.
    widths = [max(len(line[c]) for line in lines if c > 0 or not line[0].startswith("**"))
              for c in range(columns)]
    for number, line in enumerate(lines):
        cells = [cell.ljust(width) if c == 0 or c == columns - 1 else cell.rjust(width)
                 for c, (cell, width) in enumerate(zip(line, widths))]
        print("| " + " | ".join(cells) + " |")
        if number == 0:
            print("|" + "|".join(" --- " for _ in widths) + "|")
    context = contexts[0]
    print(f"\nSIMD target {context.get('simd_target')}; peers that are absent: "
          f"{context.get('absent_peers')}.")
    notes = {}
    for engines in table.values():
        for engine, figures in engines.items():
            notes.setdefault(engine, "; ".join(figures["label"].split("; ")[1:]))
    for engine, note in notes.items():
        print(f"- {engine}: {note}")
    for failure in failed:
        print(f"- failed: {failure}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
