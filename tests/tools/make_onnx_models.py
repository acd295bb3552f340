# Copyright 2026 The stint authors.
# SPDX-License-Identifier: Apache-2.0

"""Makes networks in PyTorch, exports them to ONNX, and computes what they answer in float64.

    python3 make_onnx_models.py FOLDER

NAME.onnx        of torch.onnx.export
NAME.safetensors sessions I64 [sessions, longest] (-1 behind the last click), scores F64 [sessions,
                 items] after the last click, by the equations of nn.GRU in numpy
refused_*.onnx   of networks that are no session models
"""

import json
import os
import sys
import warnings

import numpy
import torch
from torch import nn

ITEMS, SESSIONS, LONGEST = 2000, 1000, 12


class Network(nn.Module):
    """items -> embedding -> GRU -> scores; `way` says how the last step is taken.

    `padding` rows of the embedding are of no item; with `cut` they have scores that are cut off.
    """

    def __init__(
        self,
        way,
        layers,
        units,
        width=None,
        tied=False,
        bias=True,
        linear=True,
        padding=0,
        cut=False,
    ):
        super().__init__()
        self.way, self.padding, self.cut = way, padding, cut
        self.embedding = nn.Embedding(
            ITEMS + padding, width or units, padding_idx=0 if padding else None
        )
        self.gru = nn.GRU(
            width or units, units, layers, bias=bias, batch_first=way == "batch first"
        )
        scored = ITEMS + (padding if cut else 0)
        self.linear = nn.Linear(units, scored, bias=bias) if linear else None
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -0.6, 0.6)
        if tied and linear:
            self.linear.weight = self.embedding.weight

    def forward(self, items, start=None):
        states, last = self.gru(self.embedding(items), start)
        hidden = {
            "batch first": lambda: states[:, -1],
            "last step": lambda: states[-1],
            "final state": lambda: last[-1],
            "step": lambda: states.view(-1, states.shape[2]),
            "all": lambda: states,
        }[self.way]()
        scores = (
            self.linear(hidden)
            if self.linear is not None
            else hidden @ self.embedding.weight.t()
        )
        if self.cut:
            scores = scores[:, self.padding :]
        return (scores, last) if self.way in ("step", "last step") else scores


class Cell(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding, self.cell = nn.Embedding(30, 8), nn.GRUCell(8, 8)
        self.linear = nn.Linear(8, 30)

    def forward(self, items, state):
        state = self.cell(self.embedding(items), state)
        return self.linear(state), state


class Other(nn.Module):
    """What looks like a session model and is none."""

    def __init__(self, rnn, wrong=""):
        super().__init__()
        self.wrong = wrong
        self.embedding, self.rnn = nn.Embedding(30, 8), rnn
        self.linear = nn.Linear(16 if rnn.bidirectional else 8, 30)

    def forward(self, items):
        rows = self.embedding(items)
        start = None
        if self.wrong == "start":
            start = torch.full((1, 3, 8), 0.5)
        states, _ = self.rnn(rows * 2 if self.wrong == "scaled" else rows, start)
        scores = self.linear(states[0 if self.wrong == "first step" else -1])
        return torch.softmax(scores, 1) if self.wrong == "softmax" else scores


def sigmoid(x):
    return 1 / (1 + numpy.exp(-x))


def scores_of(network, sessions, lengths):
    """float64 scores after the last click of each session, by the equations of nn.GRU."""
    weights = {k: v.detach().numpy().astype(numpy.float64) for k, v in network.state_dict().items()}
    gru, n = network.gru, len(sessions)
    hidden = [numpy.zeros((n, gru.hidden_size)) for _ in range(gru.num_layers)]
    for step in range(LONGEST):
        x = weights["embedding.weight"][numpy.maximum(sessions[:, step], 0) + network.padding]
        here = (step < lengths)[:, None]
        for layer in range(gru.num_layers):
            a = x @ weights[f"gru.weight_ih_l{layer}"].T
            b = hidden[layer] @ weights[f"gru.weight_hh_l{layer}"].T
            if gru.bias:
                a = a + weights[f"gru.bias_ih_l{layer}"]
                b = b + weights[f"gru.bias_hh_l{layer}"]
            (ar, az, an), (br, bz, bn) = numpy.split(a, 3, 1), numpy.split(b, 3, 1)
            r, z = sigmoid(ar + br), sigmoid(az + bz)
            candidate = numpy.tanh(an + r * bn)
            new = (1 - z) * candidate + z * hidden[layer]
            hidden[layer] = x = numpy.where(here, new, hidden[layer])
    rows = weights["embedding.weight" if network.linear is None else "linear.weight"]
    return (hidden[-1] @ rows.T + weights.get("linear.bias", 0))[:, -ITEMS:]


def write_safetensors(path, arrays):
    header, data, at = {}, [], 0
    for name, array in arrays.items():
        kind = {"float64": "F64", "int64": "I64"}[array.dtype.name]
        header[name] = {
            "dtype": kind,
            "shape": list(array.shape),
            "data_offsets": [at, at + array.nbytes],
        }
        at += array.nbytes
        data.append(numpy.ascontiguousarray(array).tobytes())
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text + b"".join(data))


def make(folder, name, network, seed, start=None, shape=(5, 3), **export):
    random = numpy.random.RandomState(seed)
    lengths = random.randint(1, LONGEST + 1, SESSIONS)
    sessions = random.randint(0, ITEMS, (SESSIONS, LONGEST)).astype(numpy.int64)
    sessions[numpy.arange(LONGEST) >= lengths[:, None]] = -1
    items = torch.randint(0, ITEMS, shape)
    network.eval()
    torch.onnx.export(
        network,
        (items,) if start is None else (items, start),
        os.path.join(folder, name + ".onnx"),
        input_names=["items", "start"][: 1 if start is None else 2],
        **export,
    )
    write_safetensors(
        os.path.join(folder, name + ".safetensors"),
        {"sessions": sessions, "scores": scores_of(network, sessions, lengths)},
    )


def main():
    folder = sys.argv[1]
    warnings.filterwarnings("ignore")
    torch.manual_seed(20)
    axes = {"dynamic_axes": {"items": {0: "a", 1: "b"}}, "opset_version": 13}
    step = {"dynamic_axes": {"items": {1: "batch"}, "start": {1: "batch"}}, "opset_version": 13}
    make(folder, "tied", Network("last step", 1, 32, tied=True), 1, **axes)
    make(folder, "separate", Network("batch first", 2, 24, width=40), 2, **axes)
    make(folder, "no_biases", Network("final state", 2, 32, bias=False, linear=False), 3, **axes)
    make(
        folder,
        "step",
        Network("step", 2, 24, tied=True),
        4,
        start=torch.zeros(2, 3, 24),
        shape=(1, 3),
        **step,
    )
    make(folder, "all_steps", Network("all", 1, 32, width=16), 5, **axes)
    make(folder, "fixed", Network("last step", 3, 16), 6, opset_version=11)
    make(folder, "old", Network("last step", 2, 24, tied=True), 7, **{**axes, "opset_version": 9})
    make(folder, "double", Network("batch first", 1, 32, bias=False).double(), 8, **axes)
    make(folder, "padded", Network("last step", 1, 32, padding=1), 9, **axes)
    padded = Network("batch first", 2, 24, tied=True, padding=2, cut=True)
    # Seeds under which no two of the best scores are closer than float32 tells apart.
    make(folder, "cut", padded, 11, **axes)

    items = torch.randint(0, 30, (5, 3))
    refused = {
        "lstm": Other(nn.LSTM(8, 8)),
        "bidirectional": Other(nn.GRU(8, 8, bidirectional=True)),
        "first_step": Other(nn.GRU(8, 8), "first step"),
        "start": Other(nn.GRU(8, 8), "start"),
        "scaled": Other(nn.GRU(8, 8), "scaled"),
        "softmax": Other(nn.GRU(8, 8), "softmax"),
    }
    for name, network in refused.items():
        path = os.path.join(folder, f"refused_{name}.onnx")
        torch.onnx.export(network, (items,), path, input_names=["items"], **axes)
    torch.onnx.export(
        Cell(), (items[0], torch.zeros(3, 8)), os.path.join(folder, "refused_cell.onnx")
    )
    torch.onnx.export(
        Other(nn.GRU(8, 8)),
        (items,),
        os.path.join(folder, "refused_unfolded.onnx"),
        do_constant_folding=False,
        **axes,
    )


if __name__ == "__main__":
    main()
