"""The client for threads."""
from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import grpc

from rapport.common.v1 import event_service_pb2, event_service_pb2_grpc
from rapport_client import _calls
from rapport_client.errors import CursorExpired, RapportError, Unauthenticated, from_rpc_error

Stub = TypeVar("Stub")


class Client:
    """Channels to the services whose addresses are given. Thread-safe; close it, or use `with`.

    `token` is asked for a token when one is needed; `credentials` None: without TLS, for development."""

    def __init__(self, *, token: _calls.TokenSource, scheduling: str | None = None,
                 assessment: str | None = None, notes: str | None = None,
                 credentials: grpc.ChannelCredentials | None = None,
                 options: list[tuple[str, Any]] | None = None) -> None:
        self._token = _calls.Token(token)
        self._channels: dict[str, _Channel] = {}
        for service, address in zip(_calls.SERVICES, (scheduling, assessment, notes)):
            if address is None:
                continue
            settings = _calls.channel_options(service) + (options or [])
            plain = (grpc.insecure_channel(address, settings) if credentials is None
                     else grpc.secure_channel(address, credentials, settings))
            self._channels[service] = _Channel(plain, self._token, _calls.harmless_methods(service))

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *unused: object) -> None:
        self.close()

    def close(self) -> None:
        for channel in self._channels.values():
            channel.close()

    def channel(self, service: str) -> grpc.Channel:
        """The channel to "scheduling", "assessment" or "notes", for any generated stub."""
        if service not in self._channels:
            raise ValueError(f"the client was given no address of {service}")
        return self._channels[service]

    def stub(self, kind: Callable[[grpc.Channel], Stub], service: str | None = None) -> Stub:
        """A stub on the right channel. `service` is needed for what all three serve."""
        return kind(self.channel(_calls.service_of(kind, service)))

    def watch(self, service: str, options: _calls.WatchOptions = _calls.WatchOptions()
              ) -> Iterator[event_service_pb2.WatchResponse]:
        """Follows the feed of a service for ever, whatever happens to streams. Each response is told once
        the one before is dealt with: keep its `cursor` together with what you made of its events, and
        pass it in `options` after a restart. Heartbeats have a cursor and no events.

        Raises CursorExpired where it is too old: begin again with `from_snapshot`."""
        stub = event_service_pb2_grpc.EventServiceStub(self.channel(service))
        cursor, failures, error = options.cursor, 0, None
        while True:
            time.sleep(_calls.backoff(options, failures, error))
            stream = stub.Watch(event_service_pb2.WatchRequest(
                cursor=cursor, types=options.types,
                from_snapshot=options.from_snapshot and not cursor))
            try:
                for response in stream:
                    failures = 0
                    yield response
                    cursor = response.cursor
                # The server ends a stream after some minutes; one that ends at once is in trouble.
                failures, error = failures + 1, None
            except CursorExpired:
                raise
            except RapportError as caught:
                if isinstance(caught, Unauthenticated) and failures == 0:
                    self._token.refused(self._token.get())
                elif caught.code() not in _calls.RESUMABLE or self._channels[service].closed:
                    raise
                failures, error = failures + 1, caught
            finally:
                stream.cancel()


class _Channel(grpc.Channel):
    """A channel whose calls carry the token, are repeatable, and fail with our errors."""

    def __init__(self, channel: grpc.Channel, token: _calls.Token, harmless: frozenset[str]) -> None:
        self._channel = channel
        self._token = token
        self._harmless = harmless
        self.closed = False

    def unary_unary(self, method: str, *words: Any, **named: Any) -> Any:
        return _Unary(self._channel.unary_unary(method, *words, **named), self._token, self,
                      harmless=method in self._harmless)

    def unary_stream(self, *words: Any, **named: Any) -> Any:
        return _Streaming(self._channel.unary_stream(*words, **named), self._token)

    def stream_unary(self, *words: Any, **named: Any) -> Any:
        return _Unary(self._channel.stream_unary(*words, **named), self._token, self, once=True)

    def stream_stream(self, *words: Any, **named: Any) -> Any:
        return _Streaming(self._channel.stream_stream(*words, **named), self._token)

    def subscribe(self, callback: Any, try_to_connect: bool = False) -> None:
        self._channel.subscribe(callback, try_to_connect)

    def unsubscribe(self, callback: Any) -> None:
        self._channel.unsubscribe(callback)

    def close(self) -> None:
        self.closed = True
        self._channel.close()

    def __enter__(self) -> _Channel:
        return self

    def __exit__(self, *unused: object) -> None:
        self.close()


class _Unary:
    def __init__(self, inner: Any, token: _calls.Token, channel: _Channel, harmless: bool = False,
                 once: bool = False) -> None:
        self._inner, self._token, self._channel = inner, token, channel
        self._harmless, self._once = harmless, once

    def __call__(self, request: Any, timeout: float | None = None, metadata: Any = None,
                 **named: Any) -> Any:
        return self.with_call(request, timeout, metadata, **named)[0]

    def with_call(self, request: Any, timeout: float | None = None, metadata: Any = None,
                  **named: Any) -> Any:
        request = _calls.repeatable(request)
        tries = _calls.Tries(self._token, timeout, self._harmless)
        while True:
            token = self._token.get()
            try:
                return self._inner.with_call(request, timeout=tries.timeout(),
                                             metadata=_calls.with_token(metadata, token), **named)
            except grpc.RpcError as caught:
                error = from_rpc_error(caught)
                wait = None if self._once or self._channel.closed else tries.wait(error, token)
                if wait is None:
                    raise error from None
                time.sleep(wait)

    def future(self, request: Any, timeout: float | None = None, metadata: Any = None,
               **named: Any) -> Any:
        """As grpc has it: not repeated with another token, and its errors are grpc's own."""
        return self._inner.future(_calls.repeatable(request), timeout=timeout,
                                  metadata=_calls.with_token(metadata, self._token.get()), **named)


class _Streaming:
    def __init__(self, inner: Any, token: _calls.Token) -> None:
        self._inner, self._token = inner, token

    def __call__(self, request: Any, timeout: float | None = None, metadata: Any = None,
                 **named: Any) -> _Stream:
        return _Stream(self._inner(
            _calls.repeatable(request), timeout=timeout,
            metadata=_calls.with_token(metadata, self._token.get()), **named))


class _Stream:
    """A stream of grpc that fails with our errors."""

    def __init__(self, call: Any) -> None:
        self._call = call

    def __iter__(self) -> _Stream:
        return self

    def __next__(self) -> Any:
        try:
            return next(self._call)
        except grpc.RpcError as error:
            raise from_rpc_error(error) from None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._call, name)
