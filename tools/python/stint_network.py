# Copyright 2026 The stint authors.
# SPDX-License-Identifier: Apache-2.0
"""Arrays of a trained GRU4Rec network, named as tools/convert/README.md says -> a checked network,
and the scores it gives in float64. Needs numpy alone."""

import collections
import re

import numpy as np

SELU = "selu-1.0507-1.67326"


class DataError(Exception):
    """What was read is not as it must be; the message says where and how."""


class UsageError(Exception):
    """The command line is not as it must be."""


def reason(error):
    """Why something of another's code failed, in one line."""
    text = str(getattr(error, "strerror", None) or error).strip().split("\n")[0]
    return "%s: %s" % (type(error).__name__, text) if text else type(error).__name__


# One tensor: `value` is a numpy array, `source` its name in the file it came from.
Tensor = collections.namedtuple("Tensor", ["value", "source"])


class Network:
    """Tensors by their names in tools/convert/README.md, and what their meaning depends on."""

    def __init__(self, embedding, layers, conventions, hidden_activation="tanh",
                 final_activation="linear"):
        self.embedding = embedding  # "shared", "separate" or "none"
        self.layers = [int(units) for units in layers]
        self.conventions = conventions  # one a layer: "pytorch" or "theano"
        self.hidden_activation = activation_name(hidden_activation)
        if self.hidden_activation == "softmax":
            raise DataError("the activation softmax is none of a hidden layer")
        self.final_activation = activation_name(final_activation)
        self.gru_biases = True
        self.tensors = {}  # name: Tensor
        self.ids = []  # text, in the order of rows
        self.counts = None  # integers in the order of rows, or None
        self.hyperparameters = {}
        self.training_summary = {}

    def put(self, name, value, source):
        self.tensors[name] = Tensor(value, source)

    def value(self, name):
        return self.tensors[name].value

    def inputs(self, layer):
        """Width of what enters a layer; None for the first one under one-hot input."""
        if layer > 0:
            return self.layers[layer - 1]
        if self.embedding == "shared":
            return self.layers[-1]
        return self.value("input_rows").shape[1] if self.embedding == "separate" else None

    def expected_shapes(self):
        """{name: shape} of all tensors that this network must have; biases of items aside."""
        items = len(self.ids)
        shapes = {"item_rows": (items, self.layers[-1])}
        if self.embedding == "separate":
            shapes["input_rows"] = (items, None)
        elif self.embedding == "none":
            shapes["input_rows"] = (items, 3 * self.layers[0])
        for layer, units in enumerate(self.layers):
            prefix = "layer%d." % layer
            torch_form = self.conventions[layer] == "pytorch"
            if layer > 0 or self.embedding != "none":
                inputs = self.inputs(layer)
                shapes[prefix + "input_weights"] = ((3 * units, inputs) if torch_form else
                                                    (inputs, 3 * units))
            if torch_form:
                shapes[prefix + "hidden_weights"] = (3 * units, units)
            else:
                shapes[prefix + "hidden_weights_gates"] = (units, 2 * units)
                shapes[prefix + "hidden_weights_candidate"] = (units, units)
            if self.gru_biases:
                shapes[prefix + "input_biases"] = (3 * units,)
                if torch_form:
                    shapes[prefix + "hidden_biases"] = (3 * units,)
        return shapes

    def check(self):
        """Raises DataError unless tensors, items and counts agree and all numbers are finite."""
        check_items(self.ids, self.counts)
        for name in list(self.tensors):
            self.tensors[name] = Tensor(as_floats(*self.tensors[name]), self.tensors[name].source)
        if self.embedding == "separate":
            self._check_shape("input_rows", (len(self.ids), None))
        shapes = self.expected_shapes()
        for name, shape in shapes.items():
            self._check_shape(name, shape)
        if "item_biases" in self.tensors:
            tensor = self.tensors["item_biases"]
            if tensor.value.shape == (len(self.ids), 1):
                self.put("item_biases", tensor.value[:, 0], tensor.source)
            self._check_shape("item_biases", (len(self.ids),))
        extra = set(self.tensors) - set(shapes) - {"item_biases"}
        if extra:
            raise DataError("%s: this network has no use for it" %
                            ", ".join(self.tensors[name].source for name in sorted(extra)))

    def _check_shape(self, name, shape):
        if name not in self.tensors:
            raise DataError("nothing was found for %s %s" % (name, shape_text(shape)))
        value, source = self.tensors[name]
        if (len(value.shape) != len(shape) or
                any(want not in (None, got) for want, got in zip(shape, value.shape))):
            raise DataError("%s (%s) has the shape %s, expected %s: %d items, layers %s" %
                            (source, name, shape_text(value.shape), shape_text(shape),
                             len(self.ids), self.layers))


def shape_text(shape):
    return "[%s]" % ", ".join("any" if n is None else str(n) for n in shape)


def as_floats(value, source):
    """The array as finite floats of 2, 4 or 8 bytes."""
    array = np.asarray(value)
    if array.dtype.kind != "f" or array.dtype.itemsize not in (2, 4, 8):
        raise DataError("%s has elements of type %s, expected floats" % (source, array.dtype))
    bad = np.argwhere(~np.isfinite(array))
    if len(bad):
        where = tuple(int(i) for i in bad[0])
        raise DataError("%s%s is %s, expected a finite number" %
                        (source, list(where), array[where]))
    return array


def is_id(text):
    """Whether an item may have it as its id: not empty, no control characters."""
    return text != "" and not any(ord(c) < 32 for c in text)


def check_items(ids, counts):
    if not ids:
        raise DataError("the network has no items")
    rows = {}
    for row, name in enumerate(ids):
        if not is_id(name):
            raise DataError("item %d: the id %r is empty or has control characters" % (row, name))
        if name in rows:
            raise DataError("item %d: the id %r stands twice, first at item %d" %
                            (row, name, rows[name]))
        rows[name] = row
    if counts is not None:
        if len(counts) != len(ids):
            raise DataError("%d counts for %d items" % (len(counts), len(ids)))
        for row, count in enumerate(counts):
            if int(count) != count or count < 0:
                raise DataError("item %r: the count is %s, expected a whole number >= 0" %
                                (ids[row], count))


def activation_name(name):
    """The official spelling of an activation -> that of stint. Raises DataError."""
    if name == "softmax_logit":  # differs from softmax in its loss alone
        return "softmax"
    if name in ("linear", "relu", "tanh", "softmax"):
        return name
    if name == "selu":
        return SELU
    number = r"([0-9]*\.?[0-9]+(?:e-?[0-9]+)?)"
    if re.match("^(elu|leaky)-%s$" % number, str(name)):
        return name
    if re.match("^selu-%s-%s$" % (number, number), str(name)):
        return name
    raise DataError("the activation %r is not known: expected linear, relu, tanh, softmax, "
                    "leaky-X, elu-X or selu-X-Y" % (name,))


def apply_activation(name, x):
    if name == "linear":
        return x
    if name == "relu":
        return np.maximum(x, 0)
    if name == "tanh":
        return np.tanh(x)
    kind, numbers = name.split("-", 1)
    numbers = [float(n) for n in re.findall(r"[0-9.]+(?:e-?[0-9]+)?", numbers)]
    if kind == "leaky":
        return np.where(x >= 0, x, numbers[0] * x)
    exponential = np.expm1(np.minimum(x, 0))
    if kind == "elu":
        return np.where(x >= 0, x, numbers[0] * exponential)
    return numbers[0] * np.where(x >= 0, x, numbers[1] * exponential)  # selu


def sigmoid(x):
    return 0.5 * (np.tanh(0.5 * x) + 1)


class Forward:
    """The network in float64. Equations: tools/convert/README.md and trainer/parameters.h."""

    def __init__(self, network):
        self.network = network
        # The tables of items stay as they are: a catalog in float64 may not fit.
        self.weights = {name: (value if name in ("item_rows", "input_rows") else
                               np.asarray(value, dtype=np.float64))
                        for name, (value, _) in network.tensors.items()}

    def scores(self, items):
        """Row numbers of a session's clicks -> [V] scores after the last one, before the final
        activation."""
        network = self.network
        states = [np.zeros(units) for units in network.layers]
        for item in items:
            table = "item_rows" if network.embedding == "shared" else "input_rows"
            x = np.asarray(self.weights[table][item], dtype=np.float64)
            for layer in range(len(states)):
                step = self._torch_step if network.conventions[layer] == "pytorch" else \
                    self._theano_step
                states[layer] = x = step(layer, x, states[layer])
        blocks = [np.asarray(self.weights["item_rows"][start:start + 65536], dtype=np.float64)
                  .dot(states[-1]) for start in range(0, len(network.ids), 65536)]
        return np.concatenate(blocks) + self.weights.get("item_biases", 0.0)

    def _input_sums(self, layer, x, transposed):
        """The input's share of the three gates, with its biases."""
        prefix = "layer%d." % layer
        if layer == 0 and self.network.embedding == "none":
            sums = x
        else:
            weights = self.weights[prefix + "input_weights"]
            sums = weights.dot(x) if transposed else x.dot(weights)
        return sums + self.weights.get(prefix + "input_biases", 0.0)

    def _torch_step(self, layer, x, h):
        """Gates reset, update, candidate; the reset gate acts after the product, biases too."""
        prefix = "layer%d." % layer
        a = np.split(self._input_sums(layer, x, True), 3)
        b = np.split(self.weights[prefix + "hidden_weights"].dot(h) +
                     self.weights.get(prefix + "hidden_biases", 0.0), 3)
        reset = sigmoid(a[0] + b[0])
        update = sigmoid(a[1] + b[1])
        candidate = apply_activation(self.network.hidden_activation, a[2] + reset * b[2])
        return (1 - update) * candidate + update * h

    def _theano_step(self, layer, x, h):
        """Gates candidate, reset, update; the reset gate acts before the product."""
        prefix = "layer%d." % layer
        a = np.split(self._input_sums(layer, x, False), 3)
        b = np.split(h.dot(self.weights[prefix + "hidden_weights_gates"]), 2)
        reset = sigmoid(a[1] + b[0])
        update = sigmoid(a[2] + b[1])
        candidate = apply_activation(
            self.network.hidden_activation,
            a[0] + (reset * h).dot(self.weights[prefix + "hidden_weights_candidate"]))
        return (1 - update) * h + update * candidate
