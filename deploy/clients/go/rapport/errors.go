package rapport

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// FieldViolation is a field that was refused: its path, as "clinic.time_zone" or "answers[3].value",
// and what to do.
type FieldViolation struct{ Field, Description string }

// Error is what a call failed with. Decide by errors.Is with one of the kinds below, or by Reason; never
// by the message.
type Error struct {
	Code       codes.Code
	Message    string
	Reason     string            // ErrorInfo's, as "STALE_ETAG"; empty where the server could not be asked
	Metadata   map[string]string // ErrorInfo's
	Fields     []FieldViolation
	RetryAfter time.Duration // where the server said so
	Resource   string        // what is in the way, where the server named it

	status *status.Status
}

type kind codes.Code

func (k kind) Error() string { return codes.Code(k).String() }

// Kinds of errors, for errors.Is.
const (
	ErrCanceled           = kind(codes.Canceled)
	ErrInvalidArgument    = kind(codes.InvalidArgument)    // Fields names each bad field
	ErrUnauthenticated    = kind(codes.Unauthenticated)    // also after another token was fetched
	ErrPermissionDenied   = kind(codes.PermissionDenied)   // no role of the caller's allows it
	ErrNotFound           = kind(codes.NotFound)           // absent, or not for the caller to know
	ErrAlreadyExists      = kind(codes.AlreadyExists)      // the id that was chosen is taken
	ErrFailedPrecondition = kind(codes.FailedPrecondition) // Reason says what the state lacks
	ErrAborted            = kind(codes.Aborted)            // read, decide anew, try again
	ErrOutOfRange         = kind(codes.OutOfRange)
	ErrResourceExhausted  = kind(codes.ResourceExhausted) // RetryAfter says when to come back
	ErrUnavailable        = kind(codes.Unavailable)       // also after retries
	ErrDeadlineExceeded   = kind(codes.DeadlineExceeded)  // a change may have happened
	ErrInternal           = kind(codes.Internal)          // Metadata has the trace id to report
	ErrUnimplemented      = kind(codes.Unimplemented)
)

// ErrCursorExpired says that the feed no longer goes back that far: begin again with FromSnapshot.
var ErrCursorExpired = errors.New("CURSOR_EXPIRED")

func (e *Error) Error() string {
	said := &strings.Builder{}
	fmt.Fprintf(said, "%s %s: %s", e.Code, e.Reason, e.Message)
	for _, field := range e.Fields {
		fmt.Fprintf(said, "; %s: %s", field.Field, field.Description)
	}
	return said.String()
}

// GRPCStatus is for status.FromError.
func (e *Error) GRPCStatus() *status.Status { return e.status }

// Is says whether it is of a kind.
func (e *Error) Is(target error) bool {
	if target == ErrCursorExpired {
		return e.Reason == "CURSOR_EXPIRED"
	}
	wanted, ok := target.(kind)
	return ok && codes.Code(wanted) == e.Code
}

// toError makes an *Error of what gRPC returned; nil, the end of a stream and what is no status stay.
func toError(err error) error {
	var made *Error
	if err == nil || errors.Is(err, io.EOF) || errors.As(err, &made) {
		return err
	}
	told, ok := status.FromError(err)
	if !ok {
		return err
	}
	made = &Error{Code: told.Code(), Message: told.Message(), status: told}
	for _, detail := range told.Details() {
		switch detail := detail.(type) {
		case *errdetails.ErrorInfo:
			made.Reason, made.Metadata = detail.Reason, detail.Metadata
		case *errdetails.BadRequest:
			for _, field := range detail.FieldViolations {
				made.Fields = append(made.Fields, FieldViolation{field.Field, field.Description})
			}
		case *errdetails.RetryInfo:
			made.RetryAfter = detail.RetryDelay.AsDuration()
		case *errdetails.ResourceInfo:
			made.Resource = detail.ResourceName
		}
	}
	return made
}
