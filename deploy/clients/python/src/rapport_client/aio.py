"""The same for asyncio: `async with aio.Client(…) as client`, stubs of grpc.aio, `async for` in `watch`."""
from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any, TypeVar

import grpc
import grpc.aio

from rapport.common.v1 import event_service_pb2, event_service_pb2_grpc
from rapport_client import _calls
from rapport_client.errors import CursorExpired, RapportError, Unauthenticated, from_rpc_error

Stub = TypeVar("Stub")


class Client:
    """As rapport_client.Client. The token's source is called in a thread of its own."""

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
            plain = (grpc.aio.insecure_channel(address, settings) if credentials is None
                     else grpc.aio.secure_channel(address, credentials, settings))
            self._channels[service] = _Channel(plain, self._token, _calls.harmless_methods(service))

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(self, *unused: object) -> None:
        await self.close()

    async def close(self) -> None:
        for channel in self._channels.values():
            await channel.plain.close()

    def channel(self, service: str) -> Any:
        """The channel to "scheduling", "assessment" or "notes", for any generated stub."""
        if service not in self._channels:
            raise ValueError(f"the client was given no address of {service}")
        return self._channels[service]

    def stub(self, kind: Callable[..., Stub], service: str | None = None) -> Any:
        """A stub on the right channel, whose methods are awaited. `service` is needed for what all three
        serve."""
        return kind(self.channel(_calls.service_of(kind, service)))

    async def watch(self, service: str, options: _calls.WatchOptions = _calls.WatchOptions()
                    ) -> AsyncIterator[event_service_pb2.WatchResponse]:
        """As rapport_client.Client.watch."""
        stub: Any = event_service_pb2_grpc.EventServiceStub(self.channel(service))
        cursor, failures, error = options.cursor, 0, None
        while True:
            await asyncio.sleep(_calls.backoff(options, failures, error))
            stream = stub.Watch(event_service_pb2.WatchRequest(
                cursor=cursor, types=options.types,
                from_snapshot=options.from_snapshot and not cursor))
            try:
                async for response in stream:
                    failures = 0
                    yield response
                    cursor = response.cursor
                failures, error = failures + 1, None
            except CursorExpired:
                raise
            except RapportError as caught:
                if isinstance(caught, Unauthenticated) and failures == 0:
                    token = await asyncio.to_thread(self._token.get)
                    await asyncio.to_thread(self._token.refused, token)
                elif caught.code() not in _calls.RESUMABLE:
                    raise
                failures, error = failures + 1, caught
            finally:
                stream.cancel()


class _Channel:
    def __init__(self, plain: grpc.aio.Channel, token: _calls.Token, harmless: frozenset[str]) -> None:
        self.plain = plain
        self._token = token
        self._harmless = harmless

    def unary_unary(self, method: str, *words: Any, **named: Any) -> Any:
        return _unary(self.plain.unary_unary(method, *words, **named), self._token,
                      harmless=method in self._harmless)

    def unary_stream(self, *words: Any, **named: Any) -> Any:
        return _streaming(self.plain.unary_stream(*words, **named), self._token)

    def stream_unary(self, *words: Any, **named: Any) -> Any:
        return _unary(self.plain.stream_unary(*words, **named), self._token, once=True)

    def stream_stream(self, *words: Any, **named: Any) -> Any:
        return _streaming(self.plain.stream_stream(*words, **named), self._token)


def _unary(inner: Any, tokens: _calls.Token, harmless: bool = False, once: bool = False
           ) -> Callable[..., Any]:
    async def call(request: Any, timeout: float | None = None, metadata: Any = None,
                   **named: Any) -> Any:
        request = _calls.repeatable(request)
        tries = _calls.Tries(tokens, timeout, harmless)
        while True:
            token = await asyncio.to_thread(tokens.get)
            try:
                return await inner(request, timeout=tries.timeout(),
                                   metadata=tuple(_calls.with_token(metadata, token)), **named)
            except grpc.RpcError as caught:
                error = from_rpc_error(caught)
                wait = None if once else await asyncio.to_thread(tries.wait, error, token)
                if wait is None:
                    raise error from None
                await asyncio.sleep(wait)
    return call


class _Stream:
    def __init__(self, inner: Any, tokens: _calls.Token, request: Any, timeout: float | None,
                 metadata: Any, named: dict[str, Any]) -> None:
        self._open: Callable[[str], Any] = lambda token: inner(
            _calls.repeatable(request), timeout=timeout,
            metadata=tuple(_calls.with_token(metadata, token)), **named)
        self._tokens = tokens
        self._call: Any = None

    async def __aiter__(self) -> AsyncIterator[Any]:
        if self._call is None:
            self._call = self._open(await asyncio.to_thread(self._tokens.get))
        try:
            async for response in self._call:
                yield response
        except grpc.RpcError as error:
            raise from_rpc_error(error) from None

    def cancel(self) -> None:
        if self._call is not None:
            self._call.cancel()


def _streaming(inner: Any, tokens: _calls.Token) -> Callable[..., _Stream]:
    def call(request: Any, timeout: float | None = None, metadata: Any = None,
             **named: Any) -> _Stream:
        return _Stream(inner, tokens, request, timeout, metadata, named)
    return call
