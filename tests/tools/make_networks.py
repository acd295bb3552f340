# Copyright 2026 The stint authors.
# SPDX-License-Identifier: Apache-2.0

"""Nothing -> networks as other engines have them, and what they answer in float64.

make_networks.py FOLDER writes, for each case, CASE.safetensors or CASE.npz, CASE.json,
CASE.items.tsv, CASE.sessions.json and CASE.expected.safetensors:
  items       int64 [sessions, longest], -1 behind the end
  top_items   int64 [sessions, 20]
  top_scores  float64 [sessions, 20]
Weights are float32 numbers; the answers are computed in float64, by PyTorch's own modules where the
case is one of PyTorch, else by the equations of the engine in numpy.
"""

import json
import struct
import sys

import numpy as np
import torch

SESSIONS = 1000
LONGEST = 12
TOP = 20


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


def write_safetensors(path, tensors):
    names = {np.dtype("<f8"): "F64", np.dtype("<f4"): "F32", np.dtype("<f2"): "F16",
             np.dtype("<i8"): "I64"}
    header, data = {}, b""
    for name, array in tensors.items():
        raw = np.ascontiguousarray(array).tobytes()
        header[name] = {"dtype": names[array.dtype], "shape": list(array.shape),
                        "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    with open(path, "wb") as out:
        out.write(struct.pack("<Q", len(text)) + text + data)


class Case:
    """Random float32 weights of a case, and its files."""

    def __init__(self, folder, name, seed, items, config, ending="safetensors"):
        self.folder, self.name, self.items, self.ending = folder, name, items, ending
        self.config = dict({"format": "stint-network", "version": 1}, **config)
        self.random = np.random.RandomState(seed)
        self.tensors = {}

    def weights(self, *shape, scale=None):
        scale = scale if scale is not None else 1.5 / np.sqrt(shape[-1])
        return (scale * self.random.uniform(-1, 1, shape)).astype("<f4")

    def add(self, name, array):
        self.tensors[name] = array
        return array.astype("<f8")

    def finish(self, start, step, item_rows, item_biases):
        """step(state, item) -> (state, output [units of the last layer])."""
        sessions, tops, scores = [], [], []
        tests = []
        for s in range(SESSIONS):
            length = 1 + self.random.randint(LONGEST)
            session = self.random.randint(self.items, size=length)
            state = start()
            for item in session:
                state, output = step(state, item)
            score = item_rows @ output + item_biases
            top = np.lexsort((np.arange(self.items), -score))[:TOP]
            sessions.append(np.pad(session, (0, LONGEST - length), constant_values=-1))
            tops.append(top)
            scores.append(score[top])
            if s < 5:
                some = self.random.randint(self.items, size=30)
                tests.append({"items": ["i%d" % i for i in session],
                              "scored": ["i%d" % i for i in some],
                              "scores": [float(score[i]) for i in some]})
        base = self.folder + "/" + self.name
        if self.ending == "npz":
            np.savez_compressed(base + ".npz", **self.tensors)
        else:
            write_safetensors(base + ".safetensors", self.tensors)
        with open(base + ".json", "w") as out:
            json.dump(self.config, out)
        with open(base + ".items.tsv", "w") as out:
            out.write("ItemId\tCount\n")
            out.writelines("i%d\t%d\n" % (i, 1 + i % 7) for i in range(self.items))
        with open(base + ".sessions.json", "w") as out:
            json.dump({"format": "stint-sessions", "version": 1, "tolerance": 1e-5,
                       "sessions": tests}, out)
        write_safetensors(base + ".expected.safetensors",
                          {"items": np.array(sessions, "<i8"), "top_items": np.array(tops, "<i8"),
                           "top_scores": np.array(scores, "<f8")})


def torch_cell(case, layer, inputs, units, store_input=True):
    """A torch.nn.GRUCell in float64 of float32 weights, which go to the case's tensors."""
    cell = torch.nn.GRUCell(inputs, units).double()
    values = {"weight_ih": case.weights(3 * units, inputs),
              "weight_hh": case.weights(3 * units, units),
              "bias_ih": case.weights(3 * units, scale=0.5),
              "bias_hh": case.weights(3 * units, scale=0.5)}
    names = {"weight_ih": "input_weights", "weight_hh": "hidden_weights", "bias_ih": "input_biases",
             "bias_hh": "hidden_biases"}
    with torch.no_grad():
        for key, value in values.items():
            getattr(cell, key).copy_(torch.from_numpy(value.astype("<f8")))
            if key != "weight_ih" or store_input:
                case.add("layer%d.%s" % (layer, names[key]), value)
    return cell


def run_torch(cells, x):
    """x [inputs] through cells with their states in `state`, a list."""
    def step(state, value):
        value = torch.from_numpy(value)[None]
        new = []
        with torch.no_grad():
            for cell, hidden in zip(cells, state):
                value = cell(value, hidden)
                new.append(value)
        return new, value[0].numpy()
    return step


def zeros_of(cells):
    return lambda: [torch.zeros(1, cell.hidden_size, dtype=torch.float64) for cell in cells]


def pytorch_shared(folder, name, layers, seed, **extra):
    case = Case(folder, name, seed, 700, dict({"embedding": "shared", "layers": layers,
                                               "convention": "pytorch"}, **extra))
    rows = case.add("item_rows", case.weights(700, layers[-1], scale=1.0))
    biases = case.add("item_biases", case.weights(700, 1, scale=0.5))[:, 0]
    cells, inputs = [], layers[-1]
    for l, units in enumerate(layers):
        cells.append(torch_cell(case, l, inputs, units))
        inputs = units
    run = run_torch(cells, None)
    case.finish(zeros_of(cells), lambda state, item: run(state, rows[item]), rows, biases)


def pytorch_one_hot(folder):
    """W_ih [3 H, V] as PyTorch has it: transposed rows; a separate embedding of 3 H in stint."""
    case = Case(folder, "pytorch_one_hot", 12, 600, {
        "embedding": "none", "layers": [28], "convention": "pytorch",
        "transposed": ["input_rows"], "tensors": {"input_rows": "cell.weight_ih"}})
    cell = torch_cell(case, 0, 600, 28, store_input=False)
    case.tensors["cell.weight_ih"] = cell.weight_ih.detach().numpy().astype("<f4")
    rows = case.add("item_rows", case.weights(600, 28, scale=1.0))
    biases = case.add("item_biases", case.weights(600, scale=0.5))
    run = run_torch([cell], None)
    case.finish(zeros_of([cell]), lambda state, item: run(state, np.eye(600)[item]), rows, biases)


def pytorch_separate(folder):
    """torch.nn.GRU of two layers without biases, over an embedding with one padding row."""
    case = Case(folder, "pytorch_separate", 13, 600, {
        "embedding": "separate", "layers": [40, 24], "convention": "pytorch", "gru_biases": False,
        "item_biases": False, "padding_rows": 1, "ignored": ["step"],
        "tensors": {"item_rows": "decoder.weight", "input_rows": "embedding.weight",
                    "layer0.input_weights": "gru.weight_ih_l0",
                    "layer0.hidden_weights": "gru.weight_hh_l0",
                    "layer1.input_weights": "gru.weight_ih_l1",
                    "layer1.hidden_weights": "gru.weight_hh_l1"}})
    gru = torch.nn.GRU(18, 40, bias=False).double(), torch.nn.GRU(40, 24, bias=False).double()
    with torch.no_grad():
        for l, layer in enumerate(gru):
            for kind in ("ih", "hh"):
                weight = getattr(layer, "weight_%s_l0" % kind)
                value = case.weights(*weight.shape)
                weight.copy_(torch.from_numpy(value.astype("<f8")))
                # A file in float64.
                case.tensors["gru.weight_%s_l%d" % (kind, l)] = value.astype("<f8")
    table = case.add("embedding.weight", case.weights(601, 18, scale=1.0))[1:]
    rows = case.add("decoder.weight", case.weights(601, 24, scale=1.0))[1:]
    case.tensors["step"] = np.array(17, "<i8")

    def step(state, item):
        with torch.no_grad():
            value, first = gru[0](torch.from_numpy(table[item])[None], state[0])
            value, second = gru[1](value, state[1])
        return [first, second], value[0].numpy()

    case.finish(lambda: [torch.zeros(1, n, dtype=torch.float64) for n in (40, 24)], step, rows,
                np.zeros(600))


def keras(folder, name, seed, reset_after, joined):
    """Columns z r h; reset_after: (1 - z) h~ + z h with the reset gate after the product."""
    units, width, items = 33, 20, 640
    case = Case(folder, name, seed, items, {
        "embedding": "separate", "layers": [units], "convention": "keras",
        "reset_after": reset_after}, ending="npz")
    kernel = case.add("layer0.input_weights", case.weights(width, 3 * units))
    # As numpy stores a transposed array: in column order.
    recurrent = case.add("layer0.hidden_weights", np.asfortranarray(case.weights(units, 3 * units)))
    bias = case.weights(2, 3 * units, scale=0.5)
    if not reset_after:
        bias[1] = 0
        case.add("layer0.input_biases", bias[0])
    elif joined:
        case.add("layer0.biases", bias)
    else:
        case.add("layer0.input_biases", bias[0])
        case.add("layer0.hidden_biases", bias[1])
    bias = bias.astype("<f8")
    # In half precision.
    table = case.add("input_rows", case.weights(items, width, scale=1.0).astype("<f2"))
    rows = case.add("item_rows", case.weights(items, units, scale=1.0))
    biases = case.add("item_biases", case.weights(items, scale=0.5))

    def step(h, item):
        x = table[item] @ kernel + bias[0]
        xz, xr, xh = np.split(x, 3)
        if reset_after:
            hz, hr, hh = np.split(h @ recurrent + bias[1], 3)
            z, r = sigmoid(xz + hz), sigmoid(xr + hr)
            candidate = np.tanh(xh + r * hh)
        else:
            wz, wr, wh = np.split(recurrent, 3, axis=1)
            z, r = sigmoid(xz + h @ wz), sigmoid(xr + h @ wr)
            candidate = np.tanh(xh + (r * h) @ wh)
        h = z * h + (1 - z) * candidate
        return h, h

    case.finish(lambda: np.zeros(units), step, rows, biases)


def theano_step(h, v, gates, candidate):
    """Of the cell [candidate | r | z] with z weighing the candidate."""
    units = h.shape[0]
    vc, vr, vz = np.split(v, 3)
    a = h @ gates
    r, z = sigmoid(vr + a[:units]), sigmoid(vz + a[units:])
    c = np.tanh(vc + (r * h) @ candidate)
    return (1 - z) * h + z * c


def theano(folder, name, seed, embedding, layers, act="tanh"):
    items = 650
    case = Case(folder, name, seed, items, {
        "embedding": embedding, "layers": layers, "convention": "theano"})
    rows = case.add("item_rows", case.weights(items, layers[-1], scale=1.0))
    biases = case.add("item_biases", case.weights(items, 1, scale=0.5))[:, 0]
    inputs = layers[-1]
    parts = []
    for l, units in enumerate(layers):
        base = "layer%d." % l
        if l == 0 and embedding == "none":
            wx = case.add("input_rows", case.weights(items, 3 * units, scale=0.8))
        else:
            wx = case.add(base + "input_weights", case.weights(inputs, 3 * units))
        parts.append((wx, case.add(base + "hidden_weights_gates", case.weights(units, 2 * units)),
                      case.add(base + "hidden_weights_candidate", case.weights(units, units)),
                      case.add(base + "input_biases", case.weights(3 * units, scale=0.5))))
        inputs = units

    def step(state, item):
        new, value = [], None
        for l, (wx, gates, candidate, bias) in enumerate(parts):
            if l == 0 and embedding == "none":
                v = wx[item] + bias
            else:
                v = (rows[item] if l == 0 else value) @ wx + bias
            value = theano_step(state[l], v, gates, candidate)
            new.append(value)
        return new, value

    case.finish(lambda: [np.zeros(n) for n in layers], step, rows, biases)


def official_pytorch_one_hot(folder):
    """One-hot input into the Theano cell, PyTorch's cell above it."""
    items, layers = 620, [30, 22]
    case = Case(folder, "official_pytorch_one_hot", 34, items, {
        "embedding": "none", "layers": layers,
        "layer_conventions": [{"convention": "theano"}, {"convention": "pytorch"}]})
    wx = case.add("input_rows", case.weights(items, 90, scale=0.8))
    gates = case.add("layer0.hidden_weights_gates", case.weights(30, 60))
    candidate = case.add("layer0.hidden_weights_candidate", case.weights(30, 30))
    bias = case.add("layer0.input_biases", case.weights(90, scale=0.5))
    cell = torch_cell(case, 1, 30, 22)
    rows = case.add("item_rows", case.weights(items, 22, scale=1.0))
    biases = case.add("item_biases", case.weights(items, 1, scale=0.5))[:, 0]
    run = run_torch([cell], None)

    def step(state, item):
        first = theano_step(state[0], wx[item] + bias, gates, candidate)
        second, value = run([state[1]], first)
        return [first, second[0]], value

    case.finish(lambda: [np.zeros(30), torch.zeros(1, 22, dtype=torch.float64)], step, rows, biases)


def onnx(folder, name, seed, reset_after):
    """Rows z r h with a leading axis of directions, biases of input and hidden in one."""
    units, width, items = 27, 27, 630
    case = Case(folder, name, seed, items, {
        "embedding": "shared", "layers": [units], "convention": "onnx",
        "reset_after": reset_after})
    w = case.add("layer0.input_weights", case.weights(1, 3 * units, width))[0]
    r = case.add("layer0.hidden_weights", case.weights(1, 3 * units, units))[0]
    b = case.add("layer0.biases", case.weights(1, 6 * units, scale=0.5))[0]
    wb, rb = b[:3 * units], b[3 * units:]
    rows = case.add("item_rows", case.weights(items, units, scale=1.0))
    biases = case.add("item_biases", case.weights(items, scale=0.5))

    def step(h, item):
        xz, xr, xh = np.split(w @ rows[item] + wb, 3)
        rz, rr, rh = np.split(r, 3)
        bz, br, bh = np.split(rb, 3)
        z, g = sigmoid(xz + rz @ h + bz), sigmoid(xr + rr @ h + br)
        if reset_after:
            candidate = np.tanh(xh + g * (rh @ h + bh))
        else:
            candidate = np.tanh(xh + rh @ (g * h) + bh)
        h = (1 - z) * candidate + z * h
        return h, h

    case.finish(lambda: np.zeros(units), step, rows, biases)


def main():
    folder = sys.argv[1]
    torch.set_num_threads(1)
    pytorch_shared(folder, "pytorch_shared", [36], 11)
    pytorch_shared(folder, "pytorch_two_layers", [20, 31], 14, final_activation="softmax")
    pytorch_one_hot(folder)
    pytorch_separate(folder)
    keras(folder, "keras_reset_after", 21, True, True)
    keras(folder, "keras_two_biases", 22, True, False)
    keras(folder, "keras_reset_before", 23, False, False)
    theano(folder, "theano_shared", 24, "shared", [32])
    theano(folder, "theano_one_hot_two_layers", 25, "none", [26, 19])
    official_pytorch_one_hot(folder)
    onnx(folder, "onnx_reset_after", 32, True)
    onnx(folder, "onnx_reset_before", 33, False)


if __name__ == "__main__":
    main()
