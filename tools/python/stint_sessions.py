# Copyright 2026 The stint authors.
# SPDX-License-Identifier: Apache-2.0
"""A click log, or a fixed seed -> test sessions, and what a network answers to them."""

import numpy as np

from stint_network import DataError

TOP = 20  # of the scored items are the best
OTHERS = 80  # are spread over the catalog
LONGEST_MADE_UP = 10
SEED = 20260101


def pick(arguments, ids):
    """Row numbers of the clicks of each test session."""
    if arguments.sessions is None:
        return _made_up(len(ids), arguments.test_sessions)
    sessions = _read_log(arguments, {name: row for row, name in enumerate(ids)})
    count = min(arguments.test_sessions, len(sessions))
    return [sessions[i * len(sessions) // count] for i in range(count)]


def _made_up(items, count):
    draw = np.random.RandomState(SEED)
    sessions = [draw.randint(0, items, size=1 + i % LONGEST_MADE_UP).tolist() for i in range(count)]
    sessions[0] = [items - 1]
    sessions[-1] = sessions[-1] + [0, 0]  # the first and the last row, and a click that repeats
    return sessions


def _read_log(arguments, rows_of_ids):
    """All sessions of the log with a known item in it: clicks by time, sessions as they come."""
    path = arguments.sessions
    clicks = {}  # session: [(time, row)]
    with open(path, "rb") as stream:
        lines = stream.read().decode("utf-8-sig", "replace").split("\n")
    header = lines[0].rstrip("\r").split("\t")
    columns = []
    for name in (arguments.session_column, arguments.item_column, arguments.time_column):
        if header.count(name) != 1:
            raise DataError("%s: expected one column %r, found the columns %s" %
                            (path, name, ", ".join(repr(other) for other in header)))
        columns.append(header.index(name))
    for number, line in enumerate(lines[1:], 2):
        line = line.rstrip("\r")
        if not line:
            continue
        fields = line.split("\t")
        if len(fields) != len(header):
            raise DataError("%s:%d: %d fields, expected %d" %
                            (path, number, len(fields), len(header)))
        session, item, time = (fields[column] for column in columns)
        when = _number(time)
        if when != when:
            raise DataError("%s:%d: the time %r is no number" % (path, number, time))
        if item in rows_of_ids:
            clicks.setdefault(session, []).append((when, rows_of_ids[item]))
        elif not arguments.drop_unknown:
            raise DataError("%s:%d: the item %r is not known to the model (--drop-unknown leaves "
                            "such clicks out)" % (path, number, item))
    if not clicks:
        raise DataError("%s: no click on an item of the model" % path)
    return [[row for _, row in sorted(events, key=lambda event: event[0])]
            for events in clicks.values()]


def _number(text):
    """An integer exactly, else a float; NaN for what is none."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return float("nan")


def expected(ids, rows, scores):
    """An entry of the sessions file: the best items and some others, with their scores."""
    if scores.shape != (len(ids),) or not np.all(np.isfinite(scores)):
        raise DataError("after the clicks %s the scores are no %d finite numbers" %
                        ([ids[row] for row in rows], len(ids)))
    best = np.argsort(-scores, kind="mergesort")[:TOP]
    spread = np.linspace(0, len(ids) - 1, min(OTHERS, len(ids))).astype(np.int64)
    scored = best.tolist() + sorted(set(spread.tolist()) - set(best.tolist()))
    return {"items": [ids[row] for row in rows], "scored": [ids[row] for row in scored],
            "scores": [float(scores[row]) for row in scored]}
