"""What happens to callers, made to happen: proxies before a service of the real suite, each with a
port of its own that does one thing wrong.

    busy     refuses two calls of three as a full server does, and says to come back at once
    full     refuses every call as a full server does, and says to come back in 2.5 s
    lost     has every other call done, and loses the answer
    cut      ends each stream with an error after the first response that has events
    slow     never answers
    crossed  turns the first call of each method on a connection away, and every other, as a gRPC server in
             C++ does with what crosses its GOAWAY: CANCELLED, not begun
"""
import collections
import threading
from concurrent import futures

import grpc
from google.protobuf import any_pb2
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_status import rpc_status

from rapport.common.v1 import event_service_pb2

KINDS = ("busy", "full", "lost", "cut", "slow", "crossed")


class Faults:
    def __init__(self, upstream):
        self._channel = grpc.insecure_channel(upstream, options=[("grpc.enable_http_proxy", 0)])
        self._servers = []
        self.addresses = {}
        self.slow_reached = threading.Event()  # of calls to `slow`
        for kind in KINDS:
            server = grpc.server(futures.ThreadPoolExecutor(32), options=[("grpc.so_reuseport", 0)])
            server.add_generic_rpc_handlers([_Handler(kind, self._channel, self.slow_reached)])
            self.addresses[kind] = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
            server.start()
            self._servers.append(server)

    def stop(self):
        for server in self._servers:
            server.stop(None)
        self._channel.close()


class _Handler(grpc.GenericRpcHandler):
    def __init__(self, kind, channel, slow_reached):
        self._kind, self._channel, self._slow_reached = kind, channel, slow_reached
        self._lock = threading.Lock()
        self._calls = 0
        self._calls_of_peer = collections.Counter()

    def service(self, details):
        if details.method.startswith("/grpc.health."):
            return None  # who serves no health is taken for healthy
        return grpc.stream_stream_rpc_method_handler(
            lambda requests, context: self._answer(details.method, requests, context))

    def _answer(self, method, requests, context):
        with self._lock:
            self._calls += 1
            number = self._calls
            self._calls_of_peer[context.peer(), method] += 1
            number_of_peer = self._calls_of_peer[context.peer(), method]
        if self._kind == "crossed" and number_of_peer % 2 == 1:
            context.abort(grpc.StatusCode.CANCELLED, "Cancelled")
        if self._kind == "slow":
            over = threading.Event()
            self._slow_reached.set()
            if context.add_callback(over.set):
                over.wait()
            return
        if self._kind == "full" or (self._kind == "busy" and number % 3 != 0):
            context.abort_with_status(rpc_status.to_status(
                _full(2.5 if self._kind == "full" else 0.01)))
        metadata = [(key, value) for key, value in context.invocation_metadata()
                    if key == "authorization" or key.startswith("rapport-")]
        call = self._channel.stream_stream(method)(
            requests, metadata=metadata, timeout=60)
        context.add_callback(call.cancel)
        try:
            for response in call:
                if self._kind == "lost" and number % 2 == 1:
                    context.abort(grpc.StatusCode.UNAVAILABLE, "the answer is lost")
                yield response
                if (self._kind == "cut" and method.endswith("/Watch")
                        and event_service_pb2.WatchResponse.FromString(response).events):
                    context.abort(grpc.StatusCode.UNAVAILABLE, "the stream is cut")
        except grpc.RpcError as error:
            context.set_trailing_metadata(tuple(
                (key, value) for key, value in error.trailing_metadata() or ()
                if key.startswith(("rapport-", "grpc-status-details"))))
            context.set_code(error.code())
            context.set_details(error.details())
        else:
            context.set_trailing_metadata(tuple(
                (key, value) for key, value in call.trailing_metadata() or ()
                if key.startswith("rapport-")))


def _full(seconds):
    details = []
    for message in (
            error_details_pb2.ErrorInfo(reason="EXECUTOR_FULL", domain="rapport"),
            error_details_pb2.RetryInfo()):
        if isinstance(message, error_details_pb2.RetryInfo):
            message.retry_delay.FromMilliseconds(int(seconds * 1000))
        detail = any_pb2.Any()
        detail.Pack(message)
        details.append(detail)
    return status_pb2.Status(code=code_pb2.RESOURCE_EXHAUSTED, message="The server is full.",
                             details=details)
