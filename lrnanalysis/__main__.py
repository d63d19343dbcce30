"""``python -m lrnanalysis`` is the command `lrnanalysis`."""

import sys

from lrnanalysis.cli import main

sys.exit(main())
