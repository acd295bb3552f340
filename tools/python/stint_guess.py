# Copyright 2026 The stint authors.
# SPDX-License-Identifier: Apache-2.0
"""Tensors of a state_dict -> the assignments to a GRU4Rec network that fit by names and shapes, for
a user to judge. Nothing is exported by a guess. Needs numpy alone."""

import re

import stint_state_dict
from stint_network import DataError

MOST_PADDING = 4  # rows at the start that a guess may take for padding


class Assignment:
    """Which key is what."""

    def __init__(self, embedding, output, output_bias, layers):
        self.embedding = embedding  # None: one-hot input
        self.output = output
        self.output_bias = output_bias  # None: items have no biases
        self.layers = layers  # {part: key} each

    def keys(self):
        keys = {key for layer in self.layers for key in layer.values()}
        return (keys | {self.embedding, self.output, self.output_bias}) - {None}


class Guess:
    def __init__(self, options, assignment, padding, remarks):
        self.options = options  # that name the layers
        self.assignment = assignment
        self.padding = padding  # rows at the start, of the embedding and of the output
        self.remarks = remarks  # what it takes for granted

    def words(self):
        """Its options on the command line."""
        words = list(self.options)
        if self.assignment.embedding:
            words += ["--embedding", self.assignment.embedding]
        words += ["--output", self.assignment.output]
        if self.assignment.output_bias:
            words += ["--output-bias", self.assignment.output_bias]
        return words + padding_words(*self.padding)


def padding_words(embedding, output):
    words = ["--padding-rows", str(embedding)] if embedding else []
    return words + (["--output-padding-rows", str(output)] if output != embedding else [])


def input_rows(tensors, assignment):
    """(key, array) of the rows that enter the first layer."""
    key = assignment.embedding
    if key is not None:
        return key, tensors[key]
    key = assignment.layers[0]["weight_ih"]
    return key, tensors[key].T


def first_is_zero(rows):
    return bool(len(rows)) and not rows[0].any()


def guesses(tensors, items):
    """All assignments that fit; items: how many there are, if that is known."""
    twins = stint_state_dict.twins(tensors)
    stacks, refusals = _stacks(tensors)
    if refusals and not stacks:
        raise refusals[0]
    found = []
    for options, layers in stacks:
        found += _of_stack(tensors, twins, options, layers, items)

    def complete(guess):
        keys = guess.assignment.keys()
        return all(key in keys or twins.get(key) in keys for key in tensors)

    found = [guess for guess in found if complete(guess)] or found
    return [guess for guess in found if guess.padding[0] == guess.padding[1]] or found


def _stacks(tensors):
    """[(options, layers)] of what may be the GRU, [DataError] of what is another network."""
    stacks, refusals = [], []

    def add(options, find, named):
        try:
            stacks.append((options, find(tensors, named)))
        except DataError as error:
            refusals.append(error)

    for key in sorted(tensors):
        if re.search(r"(^|\.)weight_ih_l0$", key):
            prefix = key[:-len("weight_ih_l0")].rstrip(".")
            add(["--gru", prefix], stint_state_dict.gru_layers, prefix)
    cells = [key[:-len("weight_ih")].rstrip(".") for key in tensors
             if re.search(r"(^|\.)weight_ih$", key)]
    if cells:
        options = [word for prefix in cells for word in ("--cell", prefix)]
        add(options, stint_state_dict.cell_layers, cells)
    return stacks, refusals


def _of_stack(tensors, twins, options, layers, items):
    taken = {key for layer in layers for key in layer.values()}
    # Of tensors with the same numbers only the first: tied weights are one key.
    matrices = [key for key in sorted(twins) if key not in taken and twins[key] == key]
    try:
        inputs = tensors[layers[0]["weight_ih"]].shape[1]
        units = tensors[layers[-1]["weight_hh"]].shape[1]
    except (IndexError, KeyError):
        return []
    found = []
    for output in matrices:
        for embedding in matrices + [None]:
            if tensors[output].shape[1] != units or \
                    (embedding is not None and tensors[embedding].shape[1] != inputs):
                continue
            assignment = Assignment(embedding, output, None, layers)
            padding = _padding(tensors, assignment, items)
            if padding is None:
                continue
            assignment.output_bias = _bias(tensors, twins, taken, output)
            found.append(Guess(options, assignment, padding,
                               _remarks(tensors, twins, taken, assignment, padding)))
    return found


def _padding(tensors, assignment, items):
    """Rows of padding of embedding and output, or None if they are not of one catalog."""
    _, rows = input_rows(tensors, assignment)
    output = tensors[assignment.output]
    if items is None:
        items = min(len(rows), len(output))
        if len(rows) == len(output) and items > 1 and first_is_zero(rows):
            items -= 1
    padding = (len(rows) - items, len(output) - items)
    return padding if 0 <= min(padding) and max(padding) <= MOST_PADDING else None


def _bias(tensors, twins, taken, output):
    """The bias by its name beside the output or a twin of it, else the one vector that is left."""
    length = len(tensors[output])

    def fits(key):
        return key in tensors and tensors[key].shape in ((length,), (length, 1))

    keys = [key for key in sorted(twins) if key not in taken and key.endswith("weight")]
    named = {re.sub("weight$", "bias", key): twins[key] for key in keys}
    for bias in sorted(named):
        if named[bias] == output and fits(bias):
            return bias
    left = [key for key in sorted(tensors) if fits(key) and key not in taken and
            key not in named and key != output]
    return left[0] if len(left) == 1 else None


def _remarks(tensors, twins, taken, assignment, padding):
    key, rows = input_rows(tensors, assignment)
    output = assignment.output
    remarks = []
    for twin in sorted(twins):
        if twin not in taken and twin != twins[twin] and \
                twins[twin] in (assignment.embedding, output):
            remarks.append("%s and %s hold the same numbers%s" % (
                twins[twin], twin, ": tied weights, so one key names both" if
                assignment.embedding == output else ""))
    if padding[0] and first_is_zero(rows):
        remarks.append("row 0 of %s is all zeros, as nn.Embedding(padding_idx=0) keeps it: it is "
                       "taken for padding, which --padding-rows leaves out" % key)
    if padding[0] != padding[1]:
        remarks.append("%s has %d rows, %s %d: what one has more is taken for padding at the start"
                       % (key, len(rows), output, len(tensors[output])))
    remarks.append("the file of --items is to have %d items, in the order of the rows" %
                   (len(rows) - padding[0]))
    return remarks
