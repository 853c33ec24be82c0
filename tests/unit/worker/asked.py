"""A cancel flag whose answer is fixed."""


class Asked:
    """What says that the run is to be cancelled, from the beginning or never."""

    def __init__(self, *, may_be_requested: bool, answer: bool) -> None:
        self.may_be_requested = may_be_requested
        self.answer = answer
        self.asked = 0

    def is_requested(self) -> bool:
        self.asked += 1
        return self.answer
