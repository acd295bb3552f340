# Copyright 2026 The stint authors.
# SPDX-License-Identifier: Apache-2.0
"""Objects with the attributes of those that the official Theano and TensorFlow GRU4Rec save, for
tests of the exporters, which must not need this module."""


class ItemMap(object):
    """In place of a pandas Series: row numbers by item id."""

    def __init__(self, index, values):
        self.index = index
        self.values = values


class Untouched(object):
    """Something of the training that the exporters have no use for; it cannot be made anew."""

    def __init__(self, required):
        self.required = required

    def __setstate__(self, state):
        raise RuntimeError("the exporter ran code of the file")


class GRU4Rec(object):
    pass
