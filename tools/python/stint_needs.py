# Copyright 2026 The stint authors.
# SPDX-License-Identifier: Apache-2.0
"""Ends a script with one line and status 3 where this Python has no numpy. The scripts import it
before what needs numpy."""

import os
import sys

try:
    import numpy  # noqa: F401
except ImportError as error:
    sys.stderr.write("%s: error: numpy is missing in this Python (%s): pip install numpy\n" % (
        os.path.splitext(os.path.basename(sys.argv[0]))[0], str(error).strip().split("\n")[0]))
    sys.exit(3)
