/** What a call can fail with. Decide by class and `reason`, never by the message. */
import { Metadata, type ServiceError, status } from "@grpc/grpc-js";

import { BadRequest, ErrorInfo, ResourceInfo, RetryInfo } from "../gen/google/rpc/error_details.js";
import { Status } from "../gen/google/rpc/status.js";

/** A field that was refused: its path, as "clinic.time_zone" or "answers[3].value", and what to do. */
export interface FieldViolation {
  field: string;
  description: string;
}

/** A call that failed. */
export class RapportError extends Error {
  /** ErrorInfo's, as "STALE_ETAG"; empty where the server could not be asked. */
  reason = "";
  /** ErrorInfo's. */
  info: { [key: string]: string } = {};
  fieldViolations: FieldViolation[] = [];
  /** Milliseconds, where the server said so. */
  retryAfter?: number;
  /** What is in the way, where the server named it. */
  resource = "";

  constructor(
    readonly code: status,
    readonly details: string,
    readonly metadata: Metadata,
  ) {
    super(details);
    this.name = new.target.name;
    for (const bytes of metadata.get("grpc-status-details-bin")) {
      for (const { typeUrl, value } of Status.decode(bytes as Buffer).details) {
        switch (typeUrl.split("/").at(-1)) {
          case "google.rpc.ErrorInfo": {
            const info = ErrorInfo.decode(value);
            this.reason = info.reason;
            this.info = info.metadata;
            break;
          }
          case "google.rpc.BadRequest":
            this.fieldViolations = BadRequest.decode(value).fieldViolations.map(
              ({ field, description }) => ({ field, description }),
            );
            break;
          case "google.rpc.RetryInfo": {
            const delay = RetryInfo.decode(value).retryDelay;
            if (delay) this.retryAfter = delay.seconds * 1000 + delay.nanos / 1e6;
            break;
          }
          case "google.rpc.ResourceInfo":
            this.resource = ResourceInfo.decode(value).resourceName;
            break;
        }
      }
    }
    const fields = this.fieldViolations.map((one) => `; ${one.field}: ${one.description}`).join("");
    this.message = `${status[code]} ${this.reason}: ${details}${fields}`;
  }
}

export class Cancelled extends RapportError {}
/** The request is wrong by itself; `fieldViolations` names each bad field. */
export class InvalidArgument extends RapportError {}
/** The token is none, or no longer one, also after another was fetched. */
export class Unauthenticated extends RapportError {}
export class PermissionDenied extends RapportError {}
/** Absent, or not for the caller to know. */
export class NotFound extends RapportError {}
export class AlreadyExists extends RapportError {}
/** The state does not allow it; `reason` says why. */
export class FailedPrecondition extends RapportError {}
/** A race was lost, as by STALE_ETAG: read, decide anew, try again. */
export class Aborted extends RapportError {}
export class OutOfRange extends RapportError {}
/** The feed no longer goes back that far: begin again with `fromSnapshot`. */
export class CursorExpired extends OutOfRange {}
/** The server is full, or a quota is used up; `retryAfter` says when to come back. */
export class ResourceExhausted extends RapportError {}
/** The server can't be reached, also after retries. */
export class Unavailable extends RapportError {}
/** The time was over. A change may have happened: repeat it under the same requestId. */
export class DeadlineExceeded extends RapportError {}
/** A bug in the server; `info` has the trace id to report. */
export class Internal extends RapportError {}
export class Unimplemented extends RapportError {}

const CLASSES: { [code: number]: typeof RapportError } = {
  [status.CANCELLED]: Cancelled,
  [status.INVALID_ARGUMENT]: InvalidArgument,
  [status.UNAUTHENTICATED]: Unauthenticated,
  [status.PERMISSION_DENIED]: PermissionDenied,
  [status.NOT_FOUND]: NotFound,
  [status.ALREADY_EXISTS]: AlreadyExists,
  [status.FAILED_PRECONDITION]: FailedPrecondition,
  [status.ABORTED]: Aborted,
  [status.OUT_OF_RANGE]: OutOfRange,
  [status.RESOURCE_EXHAUSTED]: ResourceExhausted,
  [status.UNAVAILABLE]: Unavailable,
  [status.DEADLINE_EXCEEDED]: DeadlineExceeded,
  [status.INTERNAL]: Internal,
  [status.UNIMPLEMENTED]: Unimplemented,
};

/** What grpc-js failed with, as one of ours. */
export function toError(error: unknown): unknown {
  const told = error as ServiceError;
  if (error instanceof RapportError || typeof told?.code !== "number") return error;
  const made = new (CLASSES[told.code] ?? RapportError)(
    told.code,
    told.details ?? "",
    told.metadata ?? new Metadata(),
  );
  return made.reason === "CURSOR_EXPIRED"
    ? new CursorExpired(told.code, told.details, told.metadata)
    : made;
}
