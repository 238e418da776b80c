"""What calls need, with or without asyncio."""
from __future__ import annotations

import base64
import dataclasses
import importlib.resources
import json
import pathlib
import random
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from typing import Any

import grpc
from google.protobuf.message import Message

from rapport_client.errors import Cancelled, RapportError, ResourceExhausted, Unauthenticated

SERVICES = ("scheduling", "assessment", "notes")
# A token is replaced so long before it ends, that no call under way outlives it on the server.
_MARGIN = 60.0
# After these a stream is opened again: the connection or the server went, or its time was over.
RESUMABLE = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED,
             grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN,
             grpc.StatusCode.ABORTED, grpc.StatusCode.CANCELLED)

TokenSource = Callable[[], str]


def from_file(path: str | pathlib.Path) -> TokenSource:
    """A token that something else keeps fresh in a file, as an orchestrator does."""
    return lambda: pathlib.Path(path).read_text().strip()


def expiry(token: str) -> float:
    """`exp` of a JWT in seconds since 1970; 0 where it says none. Verifies nothing: the server does."""
    try:
        body = token.split(".")[1]
        return float(json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))["exp"])
    except (IndexError, KeyError, ValueError, TypeError):
        return 0.0


class Token:
    """Keeps the token of a source until it is about to end. Thread-safe."""

    def __init__(self, source: TokenSource) -> None:
        self._source = source
        self._lock = threading.Lock()
        self._token = ""
        self._until = 0.0

    def get(self) -> str:
        with self._lock:
            if not self._token or time.time() >= self._until:
                self._token = self._source()
                # One without an end, or with less than a margin of life, is asked for at each call.
                self._until = expiry(self._token) - _MARGIN
            return self._token

    def refused(self, token: str) -> bool:
        """Drops a token that the server refused. Whether another may be had and is worth a try."""
        with self._lock:
            if token == self._token:
                self._token = ""
        return self.get() != token


class Tries:
    """Decides whether a call that failed is made again: once with another token; up to twice where a full
    server, which has not begun with it, says to come back soon; up to twice where it does no harm and was
    CANCELLED, though nobody here gave it up: so a gRPC server in C++ answers what crosses its GOAWAY when
    it drains (https://github.com/grpc/grpc/issues/41785). What else may be repeated, gRPC repeats as the
    service config says."""

    _MOST_WAIT = 1.0  # to wait for longer is the caller's decision
    _CROSSED_WAIT = 0.05  # until the channel has seen the GOAWAY too

    def __init__(self, token: Token, timeout: float | None, harmless: bool = False) -> None:
        """`harmless`: the method may be repeated, as the service config says of it."""
        self._token = token
        self._until = None if timeout is None else time.monotonic() + timeout
        self._harmless = harmless
        self._refreshed = False
        self._waits = 0
        self._crossed = 0

    def timeout(self) -> float | None:
        """What is left of the caller's time."""
        return None if self._until is None else max(0.0, self._until - time.monotonic())

    def wait(self, error: RapportError, token: str) -> float | None:
        """How long until the next try; None: there is none."""
        if isinstance(error, Unauthenticated):
            if self._refreshed or not self._token.refused(token):
                return None
            self._refreshed = True
            return 0.0
        if isinstance(error, Cancelled) and self._harmless and self._crossed < 2:
            self._crossed += 1
            return self._CROSSED_WAIT if self._in_time(self._CROSSED_WAIT) else None
        wait = error.retry_after
        if (isinstance(error, ResourceExhausted) and wait is not None and self._waits < 2
                and wait <= self._MOST_WAIT and self._in_time(wait)):
            self._waits += 1
            return wait
        return None

    def _in_time(self, wait: float) -> bool:
        return self._until is None or wait < (self.timeout() or 0.0)


@dataclasses.dataclass(frozen=True)
class WatchOptions:
    """How a feed is followed: where from, and how long to wait between two tries, in seconds."""
    types: Sequence[str] = ()
    cursor: str = ""
    from_snapshot: bool = False
    first_backoff: float = 0.1
    most_backoff: float = 10.0


def backoff(options: WatchOptions, failures: int, error: RapportError | None) -> float:
    """How long to wait before the next try; what the server asked for counts where it is more."""
    if failures == 0:
        return 0.0
    longest = min(options.most_backoff, options.first_backoff * 2**(failures - 1))
    wait = random.uniform(longest / 2, longest)
    return max(wait, error.retry_after or 0.0) if error is not None else wait


def repeatable(request: Any) -> Any:
    """The request with a request_id, where it may have one and has none; the caller's stays as it is."""
    if not isinstance(request, Message) or "request_id" not in request.DESCRIPTOR.fields_by_name:
        return request
    if request.request_id:  # type: ignore[attr-defined]
        return request
    copied = type(request)()
    copied.CopyFrom(request)
    copied.request_id = str(uuid.uuid4())  # type: ignore[attr-defined]
    return copied


def service_config(service: str) -> str:
    return importlib.resources.files("rapport_client").joinpath(
        f"{service}_service_config.json").read_text()


def harmless_methods(service: str) -> frozenset[str]:
    """Paths of the methods that the service config repeats: reads, and changes under a request_id."""
    return frozenset(f"/{name['service']}/{name.get('method', '')}"
                     for config in json.loads(service_config(service))["methodConfig"]
                     if "retryPolicy" in config for name in config["name"])


def channel_options(service: str) -> list[tuple[str, Any]]:
    return [("grpc.service_config", service_config(service)), ("grpc.enable_retries", 1),
            ("grpc.keepalive_time_ms", 60_000), ("grpc.max_receive_message_length", 8 << 20)]


def with_token(metadata: Any, token: str) -> list[tuple[str, Any]]:
    return [*(metadata or ()), ("authorization", f"Bearer {token}")]


def service_of(stub: Any, service: str | None) -> str:
    """Which service a stub speaks to, by its module; what all three serve needs to be told."""
    package = stub.__module__.split(".")[1] if stub.__module__.startswith("rapport.") else ""
    if service is None and package in SERVICES:
        return package
    if service in SERVICES:
        return service
    raise ValueError(f"{stub.__name__} is served by more than one service: name it, as "
                     "stub(EventServiceStub, 'scheduling')")
