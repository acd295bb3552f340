# Copyright 2026 The stint authors.
# SPDX-License-Identifier: Apache-2.0
"""Objects with the attributes of those that the official PyTorch GRU4Rec saves, for tests of the
exporters: weights, item map and training events, no training."""

import torch
from torch import nn


class ItemMap(object):
    """In place of a pandas Series: row numbers by item id."""

    def __init__(self, index, values):
        self.index = index
        self.values = values


class DataIterator(object):
    def __init__(self, itemidmap, data_items):
        self.itemidmap = itemidmap
        self.data_items = data_items


class OneHotLayer(nn.Module):
    """The first layer under one-hot input: candidate, reset, update; reset before the product."""

    def __init__(self, items, units):
        super().__init__()
        self.Wx0 = nn.Embedding(items, 3 * units)
        self.Wrz0 = nn.Parameter(torch.zeros(units, 2 * units))
        self.Wh0 = nn.Parameter(torch.zeros(units, units))
        self.Bh0 = nn.Parameter(torch.zeros(3 * units))


class DoubledCell(nn.GRUCell):
    """Does something else than its weights say."""

    def forward(self, x, h=None):
        return 2 * super().forward(x, h)


class Model(nn.Module):
    def __init__(self, items, layers, embedding, cell=nn.GRUCell):
        super().__init__()
        self.Wy = nn.Embedding(items, layers[-1])
        self.By = nn.Embedding(items, 1)
        inputs = [layers[-1]] + layers[:-1]
        if embedding == 0:
            self.GE = OneHotLayer(items, layers[0])
        elif embedding > 0:
            self.E = nn.Embedding(items, embedding)
            inputs[0] = embedding
        first = 1 if embedding == 0 else 0
        self.G = nn.ModuleList([cell(inputs[i], layers[i]) for i in range(first, len(layers))])


class GRU4Rec(object):
    """`embedding` is a width, 0 for one-hot input or -1 for rows that are those of the output."""

    def __init__(self, items, layers, embedding, loss, elu_param=0.5, cell=nn.GRUCell):
        self.layers = layers
        self.loss = loss
        self.elu_param = elu_param
        self.embedding = max(embedding, 0)
        self.constrained_embedding = embedding < 0
        self.learning_rate = 0.05
        self.n_epochs = 10
        self.model = Model(items, layers, embedding, cell)
