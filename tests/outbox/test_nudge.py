"""A request never waits for the broker, whatever the broker does."""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from celery import current_app
from django.db import transaction
from django.test import Client

from outbox import nudge
from outbox.actions import add
from outbox.models import Entry

# What a request may spend on a nudge: setting a flag, with room for a busy machine.
AT_ONCE = 0.05


@pytest.fixture
def broker() -> Iterator[Any]:
    """Return a way to point Celery at another broker for one test."""
    conf = current_app.conf
    kept = (conf.broker_url, conf.broker_transport_options)

    def use(url: str, **options: Any) -> None:
        conf.broker_url, conf.broker_transport_options = url, options

    yield use
    conf.broker_url, conf.broker_transport_options = kept


@pytest.fixture
def herald(monkeypatch: pytest.MonkeyPatch) -> nudge.Herald:
    """Return a herald of this test's own, so that no earlier failure has it pause."""
    fresh = nudge.Herald(nudge.publish)
    monkeypatch.setattr(nudge, "_herald", fresh)
    return fresh


@pytest.fixture
def silent_port() -> Iterator[int]:
    """Return the port of a server that accepts and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        held: list[socket.socket] = []

        def accept() -> None:
            while True:
                try:
                    held.append(server.accept()[0])
                except OSError:
                    return

        threading.Thread(target=accept, daemon=True).start()
        yield server.getsockname()[1]
        for connection in held:
            connection.close()


def ask(client: Client) -> None:
    assert client.post("/sign-in/", {"email": f"{uuid.uuid4().hex}@example.org"}).status_code == 200


def seconds(call: Any) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


@pytest.mark.pure
@pytest.mark.parametrize("scheme", ["redis", "amqp"])
def test_a_broker_that_accepts_and_never_answers_costs_nothing(
    broker: Any, herald: nudge.Herald, silent_port: int, scheme: str, caplog: pytest.LogCaptureFixture
) -> None:
    broker(f"{scheme}://127.0.0.1:{silent_port}//" if scheme == "amqp" else f"{scheme}://127.0.0.1:{silent_port}/0")

    with caplog.at_level(logging.WARNING, logger="outbox.nudge"):
        assert seconds(nudge.wake) < AT_ONCE
        assert herald.settle(5)

    assert "did not take a nudge" in caplog.text


@pytest.mark.pure
def test_publishing_gives_up_after_two_tenths_of_a_second(broker: Any, silent_port: int) -> None:
    broker(f"redis://127.0.0.1:{silent_port}/0")
    with pytest.raises(Exception, match=r"[Tt]imed? ?out"):
        nudge.publish()  # the first call imports the transport

    start = time.perf_counter()
    with pytest.raises(Exception, match=r"[Tt]imed? ?out"):
        nudge.publish()

    assert time.perf_counter() - start < 0.2 + AT_ONCE


@pytest.mark.pure
def test_a_refused_port_costs_nothing(broker: Any, herald: nudge.Herald, caplog: pytest.LogCaptureFixture) -> None:
    broker("redis://127.0.0.1:1/0")

    with caplog.at_level(logging.WARNING, logger="outbox.nudge"):
        assert seconds(nudge.wake) < AT_ONCE
        assert herald.settle(5)

    assert "refused" in caplog.text


@pytest.mark.pure
def test_after_a_failure_the_broker_is_left_alone_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nudge, "PAUSE_AFTER_FAILURE", 0.3)
    tried: list[float] = []

    def dead() -> None:
        tried.append(time.perf_counter())
        raise OSError("down")

    herald = nudge.Herald(dead)
    herald.wake()
    herald.settle(5)
    for _ in range(100):
        herald.wake()
    herald.settle(5)

    assert len(tried) == 2
    assert tried[1] - tried[0] >= 0.3


@pytest.mark.pure
def test_many_wishes_in_a_moment_are_one_nudge(monkeypatch: pytest.MonkeyPatch) -> None:
    published: list[int] = []
    herald = nudge.Herald(lambda: published.append(1))

    herald.wake()
    herald.settle(5)
    for _ in range(500):
        herald.wake()

    assert herald.settle(5)
    assert 2 <= len(published) <= 3


@pytest.mark.pure
def test_the_last_wish_is_always_heard() -> None:
    published: list[int] = []
    herald = nudge.Herald(lambda: published.append(1))

    for _ in range(3):
        before = len(published)
        herald.wake()
        assert herald.settle(5)
        assert len(published) > before


@pytest.mark.pure
def test_a_forked_process_nudges_by_itself() -> None:
    published = nudge.Herald(lambda: None)
    published.wake()
    published.settle(5)
    os.register_at_fork(after_in_child=published.reset)

    child = os.fork()
    if child == 0:
        published.wake()
        os._exit(0 if published.settle(5) else 1)

    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.pure
def test_a_nudge_arrives_on_the_filesystem_transport(broker: Any, herald: nudge.Herald, tmp_path: Path) -> None:
    folder = tmp_path / "messages"
    folder.mkdir()
    broker("filesystem://", data_folder_in=str(folder), data_folder_out=str(folder), control_folder=str(tmp_path))

    nudge.wake()

    assert herald.settle(5)
    assert [b"outbox.tasks.drain" in file.read_bytes() for file in folder.iterdir()] == [True]


@pytest.mark.pure
def test_the_time_outs_of_a_nudge_are_not_those_of_a_worker(broker: Any) -> None:
    broker("redis://127.0.0.1:6379/0", visibility_timeout=5)

    worker = current_app.connection_for_read()

    assert worker.transport_options == {"visibility_timeout": 5}
    assert current_app.conf.broker_transport_options == {"visibility_timeout": 5}


@pytest.mark.django_db(transaction=True)
def test_a_page_that_promises_something_does_not_wait_for_a_silent_broker(
    broker: Any, herald: nudge.Herald, silent_port: int, client: Client
) -> None:
    client.get("/sign-in/")  # what is loaded once is loaded before the clock starts
    broker("memory://")
    quick = min(seconds(lambda: ask(client)) for _ in range(3))
    broker(f"redis://127.0.0.1:{silent_port}/0")

    slow = min(seconds(lambda: ask(client)) for _ in range(3))

    assert slow < quick + AT_ONCE
    assert Entry.objects.filter(topic="sign-in").count() == 6


@pytest.mark.django_db(transaction=True)
def test_a_promise_wakes_the_workers_after_the_commit_only(monkeypatch: pytest.MonkeyPatch) -> None:
    woken: list[bool] = []
    monkeypatch.setattr(nudge, "wake", lambda: woken.append(Entry.objects.filter(dedupe_key="a").exists()))

    with transaction.atomic():
        add(topic="parcel", dedupe_key="a", payload={})
        assert woken == []

    assert woken == [True]


@pytest.mark.django_db(transaction=True)
def test_a_promise_that_is_rolled_back_wakes_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    woken: list[bool] = []
    monkeypatch.setattr(nudge, "wake", lambda: woken.append(True))

    def fail() -> None:
        with transaction.atomic():
            add(topic="parcel", dedupe_key="a", payload={})
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()

    assert woken == []
    assert Entry.objects.count() == 0
