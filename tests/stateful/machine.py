"""The state machine: two apps, two beats and some workers do everything in every order."""

import sys

from hypothesis import strategies as st
from hypothesis.stateful import initialize

from tests.stateful.adding import Draft, batches
from tests.stateful.calm import Calm


class StoreMachine(Calm):
    """All rules together; an example begins with work to do, and ends when all of it is done."""

    @initialize(batch=batches, is_full=st.sampled_from([True, True, False]))
    def begin(self, batch: list[Draft], is_full: bool) -> None:
        """Two workers enrol, both beats register, and an app adds the first runs."""
        self.hire_worker(is_full=True)
        self.hire_worker(is_full=is_full)
        for beat in self.world.beats:
            beat.sign()
        self.add(app=0, batch=batch, troubles=())

    def teardown(self) -> None:
        """Let every run end; an example that has failed already is left as it is."""
        try:
            if sys.exc_info()[0] is None:
                self.settle()
        finally:
            for process in self.stopped():
                process.die()
