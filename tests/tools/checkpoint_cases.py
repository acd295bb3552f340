# Copyright 2026 The stint authors.
# SPDX-License-Identifier: Apache-2.0
"""What the makers of checkpoints share: random weights, the equations of the cells in float64, and
the lists of what an exporter must take and must refuse. Needs numpy and torch."""

import os
import pickle
import sys

import numpy as np
import torch

STAND_INS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "stand_ins")
sys.path.insert(0, STAND_INS)
ITEMS = 70
SESSIONS = 10
FOLDER = sys.argv[1]
draw = np.random.RandomState(7)
cases = []
refusals = []


def path(name):
    return os.path.join(FOLDER, name)


def write(name, text):
    with open(path(name), "w", encoding="utf-8") as stream:
        stream.write(text)
    return path(name)


def uniform(*shape):
    return draw.uniform(-0.9, 0.9, size=shape).astype(np.float32)


def fill(module):
    """Random weights for all parameters of a module of torch's."""
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.from_numpy(uniform(*parameter.shape)))
    return module


def integer_ids():
    return (1000 + 7 * draw.permutation(ITEMS)).tolist()


NAMES = ["socks, red", "5\" nail", "'quoted'", "\"", "a\\b", "\u00e4pfel", "NA", "-", "1e3", "007"]
NAMES += ["item %d" % i for i in range(ITEMS - len(NAMES))]


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def elu(x):
    return np.where(x < 0, 0.5 * (np.exp(x) - 1), x)


def theano_step(x, h, weights, act):
    """x: the sums of the input, biases included, [candidate | reset | update]."""
    Wrz, Wh = (np.float64(weights[name]) for name in ("Wrz", "Wh"))
    n = len(h)
    r = sigmoid(x[n:2 * n] + h @ Wrz[:, :n])
    z = sigmoid(x[2 * n:] + h @ Wrz[:, n:])
    return (1 - z) * h + z * act(x[:n] + (r * h) @ Wh)


def torch_step(cell, x, h):
    x, h = (torch.from_numpy(np.float64(v))[None] for v in (x, h))
    double = torch.nn.GRUCell(cell.input_size, cell.hidden_size, cell.bias).double()
    double.load_state_dict(cell.state_dict())
    with torch.no_grad():
        return double(x, h)[0].numpy()


def answers(ids, scores_of):
    """Sessions, their top 20 and its scores; sessions with a near tie there are left out."""
    found = []
    while len(found) < SESSIONS:
        rows = draw.randint(0, len(ids), size=draw.randint(1, 7)).tolist()
        scores = scores_of(rows)
        order = np.argsort(-scores)[:21]
        if np.min(-np.diff(scores[order])) > 2e-5:
            found.append({"items": [str(ids[row]) for row in rows],
                          "top": [str(ids[row]) for row in order[:20]],
                          "scores": scores[order[:20]].tolist()})
    return found


def accept(name, exporter, arguments, ids, scores_of, **more):
    cases.append(dict(more, name=name, exporter=exporter, arguments=arguments,
                      ids=[str(item) for item in ids], sessions=answers(ids, scores_of)))


def refuse(name, exporter, arguments, words, status=3, **more):
    """more: absent, words that must not be said; bare, if no -o is to be added; without, a module
    that is to be missing."""
    refusals.append(dict(more, name=name, exporter=exporter, arguments=arguments, words=words,
                         status=status))


def list_only(name, exporter, arguments, words, **more):
    """A run that writes nothing, and has nothing to complain of."""
    refuse(name, exporter, arguments, words + ["Nothing was written"], 0, bare=True, **more)


def item_map(module, ids):
    """The map in an order that is not that of the rows, as if sorted by id."""
    order = draw.permutation(len(ids))
    try:
        import pandas
        return pandas.Series(data=order, index=[ids[i] for i in order])
    except ImportError:
        index = np.array(ids) if isinstance(ids[0], int) else np.array(ids, dtype=object)
        return module.ItemMap(index[order], order)


def save_pickle(name, value, protocol=2):
    with open(path(name), "wb") as stream:
        pickle.dump(value, stream, protocol)
    return path(name)
