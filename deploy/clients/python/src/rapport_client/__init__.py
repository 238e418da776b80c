"""Calls the Rapport suite: the generated stubs, on channels that do what every caller needs.

    with rapport_client.Client(scheduling="localhost:7401", token=rapport_client.from_file(path)) as client:
        courses = client.stub(course_service_pb2_grpc.CourseServiceStub)
        course = courses.GetCourse(course_service_pb2.GetCourseRequest(name=name))

A stub made so
  - sends a token that is still valid, and asks for another before it ends or once it is refused;
  - ends each call by a deadline: the one given as `timeout`, else the service config's;
  - repeats what may be repeated: as the service config says, a change under one `request_id`, which it
    fills in where it is empty, and when a full server says to come back within a second;
  - raises a `RapportError` that knows the reason, each bad field, and when to try again.

`Client.watch` follows the event feed over dropped streams. `rapport_client.aio` is the same for asyncio.
"""
from rapport_client._calls import Token, WatchOptions, from_file
from rapport_client._client import Client
from rapport_client.errors import (Aborted, AlreadyExists, Cancelled, CursorExpired, DeadlineExceeded,
                                   FailedPrecondition, FieldViolation, Internal, InvalidArgument,
                                   NotFound, OutOfRange, PermissionDenied, RapportError,
                                   ResourceExhausted, Unauthenticated, Unavailable, Unimplemented)

__all__ = [
    "Aborted", "AlreadyExists", "Cancelled", "Client", "CursorExpired", "DeadlineExceeded",
    "FailedPrecondition", "FieldViolation", "Internal", "InvalidArgument", "NotFound", "OutOfRange",
    "PermissionDenied", "RapportError", "ResourceExhausted", "Token", "Unauthenticated", "Unavailable",
    "Unimplemented", "WatchOptions", "from_file"
]
