package rapport.client;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import com.google.rpc.ResourceInfo;
import com.google.rpc.RetryInfo;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A call that failed. Decide by class and {@link #reason()}, never by the message. Also a
 * StatusRuntimeException, with status and trailers.
 */
public class RapportException extends StatusRuntimeException {
  /** A field that was refused: its path, as "clinic.time_zone", and what to do. */
  public record FieldViolation(String field, String description) {}

  /** The request is wrong by itself; {@link #fieldViolations()} names each bad field. */
  public static final class InvalidArgument extends RapportException {
    InvalidArgument(StatusRuntimeException cause) { super(cause); }
  }

  /** The token is none, or no longer one, also after another was fetched. */
  public static final class Unauthenticated extends RapportException {
    Unauthenticated(StatusRuntimeException cause) { super(cause); }
  }

  /** No role of the caller's allows it. */
  public static final class PermissionDenied extends RapportException {
    PermissionDenied(StatusRuntimeException cause) { super(cause); }
  }

  /** Absent, or not for the caller to know. */
  public static final class NotFound extends RapportException {
    NotFound(StatusRuntimeException cause) { super(cause); }
  }

  /** The id that was chosen is taken. */
  public static final class AlreadyExists extends RapportException {
    AlreadyExists(StatusRuntimeException cause) { super(cause); }
  }

  /** The state does not allow it; {@link #reason()} says why. */
  public static final class FailedPrecondition extends RapportException {
    FailedPrecondition(StatusRuntimeException cause) { super(cause); }
  }

  /** A race was lost, as by STALE_ETAG: read, decide anew, try again. */
  public static final class Aborted extends RapportException {
    Aborted(StatusRuntimeException cause) { super(cause); }
  }

  /** The feed no longer goes back that far: begin again with a snapshot. */
  public static final class CursorExpired extends RapportException {
    CursorExpired(StatusRuntimeException cause) { super(cause); }
  }

  /** The server is full, or a quota is used up; {@link #retryAfter()} says when to come back. */
  public static final class ResourceExhausted extends RapportException {
    ResourceExhausted(StatusRuntimeException cause) { super(cause); }
  }

  /** The server can't be reached, also after retries. */
  public static final class Unavailable extends RapportException {
    Unavailable(StatusRuntimeException cause) { super(cause); }
  }

  /** The time was over. A change may have happened: repeat it under the same request_id. */
  public static final class DeadlineExceeded extends RapportException {
    DeadlineExceeded(StatusRuntimeException cause) { super(cause); }
  }

  private final transient Optional<ErrorInfo> info;
  private final transient List<FieldViolation> fieldViolations;
  private final transient Optional<Duration> retryAfter;
  private final String resource;

  RapportException(StatusRuntimeException cause) {
    super(cause.getStatus(), cause.getTrailers());
    addSuppressed(cause);
    info = detail(cause, ErrorInfo.class);
    fieldViolations = detail(cause, BadRequest.class).stream()
        .flatMap(bad -> bad.getFieldViolationsList().stream())
        .map(one -> new FieldViolation(one.getField(), one.getDescription()))
        .toList();
    retryAfter = detail(cause, RetryInfo.class).map(RetryInfo::getRetryDelay)
        .map(delay -> Duration.ofSeconds(delay.getSeconds(), delay.getNanos()));
    resource = detail(cause, ResourceInfo.class).map(ResourceInfo::getResourceName).orElse("");
  }

  /** What gRPC threw, as one of ours. */
  public static RapportException of(StatusRuntimeException error) {
    if (error instanceof RapportException ours) {
      return ours;
    }
    return switch (error.getStatus().getCode()) {
      case INVALID_ARGUMENT -> new InvalidArgument(error);
      case UNAUTHENTICATED -> new Unauthenticated(error);
      case PERMISSION_DENIED -> new PermissionDenied(error);
      case NOT_FOUND -> new NotFound(error);
      case ALREADY_EXISTS -> new AlreadyExists(error);
      case FAILED_PRECONDITION -> new FailedPrecondition(error);
      case ABORTED -> new Aborted(error);
      case RESOURCE_EXHAUSTED -> new ResourceExhausted(error);
      case UNAVAILABLE -> new Unavailable(error);
      case DEADLINE_EXCEEDED -> new DeadlineExceeded(error);
      case OUT_OF_RANGE -> {
        RapportException made = new RapportException(error);
        yield made.reason().equals("CURSOR_EXPIRED") ? new CursorExpired(error) : made;
      }
      default -> new RapportException(error);
    };
  }

  public Status.Code code() {
    return getStatus().getCode();
  }

  /** As "STALE_ETAG"; empty where the server could not be asked. */
  public String reason() {
    return info.map(ErrorInfo::getReason).orElse("");
  }

  public Map<String, String> metadata() {
    return info.map(ErrorInfo::getMetadataMap).orElse(Map.of());
  }

  public List<FieldViolation> fieldViolations() {
    return fieldViolations;
  }

  /** Where the server said so. */
  public Optional<Duration> retryAfter() {
    return retryAfter;
  }

  /** What is in the way, where the server named it. */
  public String resource() {
    return resource;
  }

  @Override
  public String getMessage() {
    StringBuilder said = new StringBuilder(super.getMessage());
    if (info != null && fieldViolations != null) {
      said.append(" [").append(reason()).append(']');
      fieldViolations.forEach(
          one -> said.append("; ").append(one.field()).append(": ").append(one.description()));
    }
    return said.toString();
  }

  private static <T extends com.google.protobuf.Message> Optional<T> detail(
      StatusRuntimeException error, Class<T> kind) {
    com.google.rpc.Status rich = StatusProto.fromThrowable(error);
    if (rich == null) {
      return Optional.empty();
    }
    for (Any detail : rich.getDetailsList()) {
      if (detail.is(kind)) {
        try {
          return Optional.of(detail.unpack(kind));
        } catch (InvalidProtocolBufferException unreadable) {
          return Optional.empty();
        }
      }
    }
    return Optional.empty();
  }
}
