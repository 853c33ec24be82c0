"""A RabbitMQ server that was given to the tests."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class GivenRabbitmq:
    """A running RabbitMQ; its virtual host serves all tests, since AMQP cannot make one."""

    url: str

    def new_database(self) -> str:
        """Return the address of the virtual host."""
        return self.url

    def drop_database(self, url: str) -> None:
        """Leave it: it is not ours."""

    def close(self) -> None:
        """Leave the server running: it is not ours."""
