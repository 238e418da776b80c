package rapport

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/connectivity"

	commonv1 "rapport.local/client/gen/rapport/common/v1"
)

// WatchOptions says how a feed is followed.
type WatchOptions struct {
	// Types are full names of payloads, as "rapport.scheduling.v1.CourseEvent"; none: all.
	Types []string
	// Cursor is of the last response that was dealt with; empty: from the beginning of what is kept.
	Cursor string
	// FromSnapshot first tells the newest event of each resource, whatever its age.
	FromSnapshot bool
	// FirstBackoff and MostBackoff bound the wait between two tries. Default: 100 ms and 10 s.
	FirstBackoff, MostBackoff time.Duration
}

// Watch follows the feed of the service behind conn, whatever happens to streams, until ctx ends or
// deal returns an error, and returns that. Each response is told once the one before is dealt with: keep
// its cursor together with what you made of its events. Heartbeats have a cursor and no events.
//
// Fails with ErrCursorExpired where the cursor is too old.
func (c *Client) Watch(ctx context.Context, conn *grpc.ClientConn, options WatchOptions,
	deal func(*commonv1.WatchResponse) error) error {
	if options.FirstBackoff == 0 {
		options.FirstBackoff = 100 * time.Millisecond
	}
	if options.MostBackoff == 0 {
		options.MostBackoff = 10 * time.Second
	}
	stub := commonv1.NewEventServiceClient(conn)
	cursor, failures := options.Cursor, 0
	for {
		err := watchOnce(ctx, stub, &options, &cursor, &failures, deal)
		var dealt *dealError
		if errors.As(err, &dealt) {
			return dealt.error
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		failures++
		var told *Error
		switch {
		case err == nil:
		case errors.Is(err, ErrUnauthenticated) && failures == 1:
			if token, failed := c.tokens.get(ctx); failed == nil {
				c.tokens.refused(ctx, token)
			}
		case !resumable(err) || conn.GetState() == connectivity.Shutdown:
			return err
		}
		wait := min(options.MostBackoff, options.FirstBackoff<<min(failures-1, 20))
		wait = wait/2 + rand.N(wait/2+1)
		if errors.As(err, &told) {
			wait = max(wait, told.RetryAfter)
		}
		if !pause(ctx, wait) {
			return ctx.Err()
		}
	}
}

type dealError struct{ error }

func watchOnce(ctx context.Context, stub commonv1.EventServiceClient, options *WatchOptions, cursor *string,
	failures *int, deal func(*commonv1.WatchResponse) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := stub.Watch(ctx, &commonv1.WatchRequest{Cursor: *cursor, Types: options.Types,
		FromSnapshot: options.FromSnapshot && *cursor == ""})
	if err != nil {
		return err
	}
	for {
		response, err := stream.Recv()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		*failures = 0
		if err := deal(response); err != nil {
			return &dealError{err}
		}
		*cursor = response.Cursor
	}
}

// resumable says whether a stream is opened again: the connection or the server went, or its time was
// over.
func resumable(err error) bool {
	var told *Error
	if !errors.As(err, &told) {
		return false
	}
	for _, one := range []kind{ErrUnavailable, ErrResourceExhausted, ErrDeadlineExceeded, ErrInternal, ErrAborted,
		ErrCanceled} {
		if errors.Is(told, one) {
			return true
		}
	}
	return told.Code.String() == "Unknown"
}
