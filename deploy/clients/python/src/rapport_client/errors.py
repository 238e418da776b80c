"""What a call can fail with. Decide by class and `reason`, never by the message."""
from __future__ import annotations

import dataclasses
from typing import Any

import grpc
from google.rpc import error_details_pb2, status_pb2


@dataclasses.dataclass(frozen=True)
class FieldViolation:
    """A field that was refused: its path, as "clinic.time_zone" or "answers[3].value", and what to do."""
    field: str
    description: str


class RapportError(grpc.RpcError):
    """A call that failed. Also a grpc.RpcError, with `code()`, `details()`, `trailing_metadata()`."""

    def __init__(self, code: grpc.StatusCode, message: str, metadata: Any = ()) -> None:
        super().__init__(message)
        self._code = code
        self._message = message
        self._trailing_metadata = metadata
        self.reason = ""  # ErrorInfo's, as "STALE_ETAG"; empty where the server could not be asked
        self.metadata: dict[str, str] = {}  # ErrorInfo's
        self.field_violations: list[FieldViolation] = []
        self.retry_after: float | None = None  # seconds, where the server said so
        self.resource = ""  # what is in the way, where the server named it
        for key, value in metadata or ():
            if key == "grpc-status-details-bin":
                self._read(status_pb2.Status.FromString(value))

    def _read(self, status: status_pb2.Status) -> None:
        info = error_details_pb2.ErrorInfo()
        bad = error_details_pb2.BadRequest()
        retry = error_details_pb2.RetryInfo()
        resource = error_details_pb2.ResourceInfo()
        for detail in status.details:
            if detail.Unpack(info):
                self.reason, self.metadata = info.reason, dict(info.metadata)
            elif detail.Unpack(bad):
                self.field_violations = [
                    FieldViolation(one.field, one.description) for one in bad.field_violations]
            elif detail.Unpack(retry):
                self.retry_after = retry.retry_delay.seconds + retry.retry_delay.nanos / 1e9
            elif detail.Unpack(resource):
                self.resource = resource.resource_name

    def code(self) -> grpc.StatusCode:
        return self._code

    def details(self) -> str:
        return self._message

    def trailing_metadata(self) -> Any:
        return self._trailing_metadata

    def __str__(self) -> str:
        said = f"{self._code.name} {self.reason}".strip()
        fields = "".join(f"; {one.field}: {one.description}" for one in self.field_violations)
        return f"{said}: {self._message}{fields}"


class Cancelled(RapportError):
    """The caller gave the call up; or a server that drains did, again and again."""


class InvalidArgument(RapportError):
    """The request is wrong by itself; `field_violations` names each bad field."""


class Unauthenticated(RapportError):
    """The token is none, or no longer one, also after another was fetched."""


class PermissionDenied(RapportError):
    """No role of the caller's allows it."""


class NotFound(RapportError):
    """Absent, or not for the caller to know."""


class AlreadyExists(RapportError):
    """The id that was chosen is taken."""


class FailedPrecondition(RapportError):
    """The state does not allow it; `reason` says why."""


class Aborted(RapportError):
    """A race was lost, as by STALE_ETAG: read, decide anew, try again."""


class OutOfRange(RapportError):
    """What was asked for is no longer there."""


class CursorExpired(OutOfRange):
    """The feed no longer goes back that far: begin again with `from_snapshot`."""


class ResourceExhausted(RapportError):
    """The server is full, or a quota is used up; `retry_after` says when to come back."""


class Unavailable(RapportError):
    """The server, or one that it needs, can't be reached, also after retries."""


class DeadlineExceeded(RapportError):
    """The time was over. A change may have happened: repeat it under the same request_id."""


class Internal(RapportError):
    """A bug in the server; `metadata` has the trace id to report."""


class Unimplemented(RapportError):
    """The server does not know the method: it is older than this client, or not the service meant."""


_CLASSES: dict[grpc.StatusCode, type[RapportError]] = {
    grpc.StatusCode.CANCELLED: Cancelled,
    grpc.StatusCode.INVALID_ARGUMENT: InvalidArgument,
    grpc.StatusCode.UNAUTHENTICATED: Unauthenticated,
    grpc.StatusCode.PERMISSION_DENIED: PermissionDenied,
    grpc.StatusCode.NOT_FOUND: NotFound,
    grpc.StatusCode.ALREADY_EXISTS: AlreadyExists,
    grpc.StatusCode.FAILED_PRECONDITION: FailedPrecondition,
    grpc.StatusCode.ABORTED: Aborted,
    grpc.StatusCode.OUT_OF_RANGE: OutOfRange,
    grpc.StatusCode.RESOURCE_EXHAUSTED: ResourceExhausted,
    grpc.StatusCode.UNAVAILABLE: Unavailable,
    grpc.StatusCode.DEADLINE_EXCEEDED: DeadlineExceeded,
    grpc.StatusCode.INTERNAL: Internal,
    grpc.StatusCode.UNIMPLEMENTED: Unimplemented,
}


def from_rpc_error(error: Any) -> RapportError:
    """What a call of grpc or grpc.aio raised, as one of ours."""
    if isinstance(error, RapportError):
        return error
    made = _CLASSES.get(error.code(), RapportError)(
        error.code(), error.details() or "", error.trailing_metadata())
    if made.reason == "CURSOR_EXPIRED":
        made = CursorExpired(error.code(), error.details() or "", error.trailing_metadata())
    return made
