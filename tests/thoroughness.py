"""How much the tests that can go on for ever do: a little for each commit, all of it by `make verify`."""

import os

IS_THOROUGH = os.environ.get("VERIFY") == "1"
