"""What hubs are tried on."""

from uuid import uuid4

import pytest

from .hubs import RedisServer


@pytest.fixture(scope="session")
def shared_server(tmp_path_factory):
    """A Redis for all tests that do not end it."""
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.kill()


@pytest.fixture
def name():
    """A channel of the test's own."""
    return f"cameras/{uuid4()}: 1 ü"
