#!/usr/bin/env python3
# Copyright 2026 The stint authors.
# SPDX-License-Identifier: Apache-2.0
"""A joblib dump of the official TensorFlow GRU4Rec -> the files that `stint convert` reads.

Needs numpy and joblib, and pandas for the item ids; neither TensorFlow nor the GRU4Rec code. Where
a weight has another name than expected, the error lists what there is, and --map says which it
is."""

import sys

import stint_needs  # noqa: F401, before all others
import stint_theano_form

EXAMPLES = """  %(prog)s shop.joblib -o shop
  %(prog)s shop.joblib --map Wx=weights.Wx --map Wy=weights.output -o shop
"""

if __name__ == "__main__":
    sys.exit(stint_theano_form.run_exporter("export_gru4rec_tensorflow", __doc__, EXAMPLES,
                                            theano=False))
