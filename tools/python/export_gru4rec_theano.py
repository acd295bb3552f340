#!/usr/bin/env python3
# Copyright 2026 The stint authors.
# SPDX-License-Identifier: Apache-2.0
"""A pickle of the official Theano GRU4Rec -> the files that `stint convert` reads.

Needs numpy, and pandas for the item ids; neither Theano nor the GRU4Rec code: classes of others
than numpy and pandas are not loaded, their objects become plain holders of attributes."""

import sys

import stint_needs  # noqa: F401, before all others
import stint_theano_form

EXAMPLES = """  %(prog)s shop.pickle -o shop
  %(prog)s shop.pickle --sessions test.tsv --items items.tsv -o shop
"""

if __name__ == "__main__":
    sys.exit(stint_theano_form.run_exporter("export_gru4rec_theano", __doc__, EXAMPLES,
                                            theano=True))
