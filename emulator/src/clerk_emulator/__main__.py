"""``python -m clerk_emulator``: the same as the command ``clerk-emulator``."""

import sys

from .cli import main

sys.exit(main())
