#!/usr/bin/env python3
# Copyright 2026 The stint authors.
# SPDX-License-Identifier: Apache-2.0
"""A folder -> models of random weights as other engines save them, and FOLDER/cases.json: which
exporter takes which, with which options, what the models answer (computed here in float64, apart
from the exporters), and what is refused with which words. Needs numpy and torch."""

import json

from checkpoint_cases import cases, refusals, write
from pytorch_checkpoints import make_pytorch
from state_dict_checkpoints import make_state_dict
from theano_checkpoints import make_tensorflow, make_theano


def main():
    make_pytorch()
    make_theano()
    make_tensorflow()
    make_state_dict()
    write("cases.json", json.dumps({"cases": cases, "refusals": refusals}))


main()
