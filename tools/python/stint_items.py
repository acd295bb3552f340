# Copyright 2026 The stint authors.
# SPDX-License-Identifier: Apache-2.0
"""Item ids and their counts: of a file, of a pandas Series, and the items file that `stint convert`
reads."""

import csv
import io
import re

import numpy as np

from stint_network import DataError, is_id

MOST_EVENTS = 2**32 - 1  # that the count of an item can say


def item_text(value):
    """An id as text: integers in decimal, text as it is. Raises DataError for others."""
    if isinstance(value, bytes):
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError:
            raise DataError("the item id %r is no UTF-8" % value)
    if isinstance(value, str):
        return str(value)
    if isinstance(value, (int, np.integer)) and not isinstance(value, (bool, np.bool_)):
        return str(int(value))
    raise DataError("the item id %r is a %s, expected an integer or text" %
                    (value, type(value).__name__))


def ids_of_map(item_map, source):
    """A pandas Series (or what has .index and .values like one) of row numbers by item id -> the
    ids as text in the order of rows."""
    if getattr(item_map, "stands_for", "").startswith("pandas"):
        raise DataError("%s was written with pandas, which this Python does not have, or has in "
                        "another version: pip install pandas, or name the items with --items" %
                        source)
    for attribute in ("index", "values"):
        if not hasattr(item_map, attribute):
            raise DataError("%s is a %s without .%s, expected a pandas Series of row numbers by "
                            "item id" % (source, type(item_map).__name__, attribute))
    ids = np.asarray(item_map.index).tolist()
    rows = np.asarray(item_map.values)
    if rows.dtype.kind not in "iu" or rows.ndim != 1 or len(rows) != len(ids):
        raise DataError("%s has %d ids and values of type %s, shape %s, expected one integer an "
                        "id" % (source, len(ids), rows.dtype, list(rows.shape)))
    order = np.argsort(rows, kind="mergesort")
    wrong = np.nonzero(rows[order] != np.arange(len(rows)))[0]
    if len(wrong):
        raise DataError("%s: the rows are not 0 to %d, each once: where %d should stand is %d" %
                        (source, len(rows) - 1, wrong[0], rows[order[wrong[0]]]))
    return [item_text(ids[i]) for i in order]


def read_items(path):
    """A table with the column ItemId and, if it is known, Count; rows in the order of the network's
    -> ids, counts or None. Tabs part the fields if the header has one or has no comma; else it is
    CSV, as `stint convert` reads it."""
    with open(path, "rb") as stream:
        try:
            text = stream.read().decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise DataError("%s is no UTF-8: %s" % (path, error))
    rows = _rows(path, text)
    _, header = next(rows, (1, []))
    if header.count("ItemId") != 1 or header.count("Count") > 1:
        raise DataError("%s: expected one column 'ItemId' and at most one 'Count', found %s" %
                        (path, ", ".join(repr(name) for name in header) or "nothing"))
    item, count = header.index("ItemId"), header.index("Count") if "Count" in header else None
    ids, counts, lines = [], [], {}
    for line, fields in rows:
        if len(fields) != len(header):
            raise DataError("%s:%d: %d fields, expected %d" %
                            (path, line, len(fields), len(header)))
        name = fields[item]
        if not is_id(name):
            raise DataError("%s:%d: the id %r is empty or has control characters" %
                            (path, line, name))
        if lines.setdefault(name, line) != line:
            raise DataError("%s:%d: the id %r stands twice, first in line %d" %
                            (path, line, name, lines[name]))
        ids.append(name)
        if count is not None:
            counts.append(_count(path, line, fields[count]))
    return ids, None if count is None else counts


def _rows(path, text):
    """(line, fields) of all lines but the empty ones."""
    header = text.lstrip("\r\n").split("\n", 1)[0]
    if "\t" in header or "," not in header:
        for number, line in enumerate(text.split("\n"), 1):
            if line.rstrip("\r"):
                yield number, line.rstrip("\r").split("\t")
        return
    csv.field_size_limit(1 << 20)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        for fields in reader:
            if fields:
                yield reader.line_num, fields
    except csv.Error as error:
        raise DataError("%s:%d: is no CSV: %s" % (path, reader.line_num, error))


def _count(path, line, text):
    if not re.match("^[0-9]+$", text) or int(text) > MOST_EVENTS:
        raise DataError("%s:%d: the count %r is no whole number from 0 to %d" %
                        (path, line, text, MOST_EVENTS))
    return int(text)


def items_text(network):
    if network.counts is None:
        return "ItemId\n" + "".join(name + "\n" for name in network.ids)
    return "ItemId\tCount\n" + "".join(
        "%s\t%d\n" % pair for pair in zip(network.ids, network.counts))
