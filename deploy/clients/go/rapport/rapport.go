// Package rapport calls the Rapport suite: connections for the generated stubs that do what every
// caller needs.
//
//	client, err := rapport.New(rapport.Options{
//		Scheduling: "localhost:7401", Token: rapport.TokenFromFile("/var/run/rapport/token")})
//	courses := schedulingv1.NewCourseServiceClient(client.Scheduling)
//	course, err := courses.GetCourse(ctx, &schedulingv1.GetCourseRequest{Name: name})
//
// A call on them
//   - sends a token that is still valid, and asks for another before it ends or once it is refused;
//   - ends by a deadline: the context's, and in any case the service config's;
//   - is repeated where that does no harm: as the service config says, a change under one request_id,
//     which is filled in where it is empty, and when a full server says to come back within a second;
//   - fails with an *Error that knows the reason, each bad field, and when to try again.
//
// Client.Watch follows the event feed over dropped streams.
package rapport

import (
	"context"
	"embed"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	_ "google.golang.org/grpc/health" // the service config asks for health checks
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

//go:embed *_service_config.json
var serviceConfigs embed.FS

// A token is replaced so long before it ends, that no call under way outlives it on the server.
const margin = time.Minute

// How long a full server may have a call wait.
const mostWait = time.Second

// How long until the channel, too, has seen the GOAWAY that a call crossed.
const crossedWait = 50 * time.Millisecond

// Options says where the services are and who calls.
type Options struct {
	// Addresses of the services that are called, as "localhost:7401" or "dns:///scheduling:7401".
	Scheduling, Assessment, Notes string
	// Token is asked for a token when one is needed.
	Token func(context.Context) (string, error)
	// Credentials of the transport; nil: without TLS, for development.
	Credentials credentials.TransportCredentials
	// Dial is what else the connections need.
	Dial []grpc.DialOption
}

// Client holds a connection to each service whose address was given; the others are nil.
type Client struct {
	Scheduling, Assessment, Notes *grpc.ClientConn

	tokens   *tokens
	harmless map[string]bool // methods that the service configs repeat: reads, and changes under a request_id
}

// TokenFromFile reads a token that something else keeps fresh in a file, as an orchestrator does.
func TokenFromFile(path string) func(context.Context) (string, error) {
	return func(context.Context) (string, error) {
		token, err := os.ReadFile(path)
		return strings.TrimSpace(string(token)), err
	}
}

// New makes a client. It connects with the first call.
func New(options Options) (*Client, error) {
	client := &Client{tokens: &tokens{source: options.Token}, harmless: map[string]bool{}}
	for _, one := range []struct {
		service, address string
		conn             **grpc.ClientConn
	}{
		{"scheduling", options.Scheduling, &client.Scheduling},
		{"assessment", options.Assessment, &client.Assessment},
		{"notes", options.Notes, &client.Notes},
	} {
		if one.address == "" {
			continue
		}
		config, err := serviceConfigs.ReadFile(one.service + "_service_config.json")
		if err != nil {
			return nil, err
		}
		if err := client.learn(config); err != nil {
			return nil, fmt.Errorf("%s: %w", one.service, err)
		}
		transport := options.Credentials
		if transport == nil {
			transport = insecure.NewCredentials()
		}
		dial := append([]grpc.DialOption{
			grpc.WithTransportCredentials(transport),
			grpc.WithDefaultServiceConfig(string(config)),
			grpc.WithChainUnaryInterceptor(client.unary),
			grpc.WithChainStreamInterceptor(client.stream),
		}, options.Dial...)
		if *one.conn, err = grpc.NewClient(one.address, dial...); err != nil {
			client.Close()
			return nil, fmt.Errorf("%s: %w", one.service, err)
		}
	}
	return client, nil
}

// learn reads from a service config what may be repeated.
func (c *Client) learn(config []byte) error {
	var read struct {
		MethodConfig []struct {
			RetryPolicy *struct{}
			Name        []struct{ Service, Method string }
		}
	}
	if err := json.Unmarshal(config, &read); err != nil {
		return err
	}
	for _, methods := range read.MethodConfig {
		for _, name := range methods.Name {
			if methods.RetryPolicy != nil {
				c.harmless["/"+name.Service+"/"+name.Method] = true
			}
		}
	}
	return nil
}

// Close ends the connections and all calls on them.
func (c *Client) Close() {
	for _, conn := range []*grpc.ClientConn{c.Scheduling, c.Assessment, c.Notes} {
		if conn != nil {
			conn.Close()
		}
	}
}

func (c *Client) unary(ctx context.Context, method string, request, reply any, conn *grpc.ClientConn,
	invoke grpc.UnaryInvoker, options ...grpc.CallOption) error {
	request = repeatable(request)
	refreshed, waits, crossed := false, 0, 0
	for {
		token, err := c.tokens.get(ctx)
		if err != nil {
			return err
		}
		err = toError(invoke(withToken(ctx, token), method, request, reply, conn, options...))
		var told *Error
		switch {
		case !errors.As(err, &told):
			return err
		case told.Code == codes.Unauthenticated && !refreshed && c.tokens.refused(ctx, token):
			refreshed = true
		// A full server has not begun with the call. To wait for longer is the caller's decision.
		case told.Code == codes.ResourceExhausted && waits < 2 && told.RetryAfter > 0 &&
			told.RetryAfter <= mostWait && inTime(ctx, told.RetryAfter):
			waits++
			if !pause(ctx, told.RetryAfter) {
				return err
			}
		// Nobody here gave it up: so a gRPC server in C++ answers what crosses its GOAWAY when it drains
		// (https://github.com/grpc/grpc/issues/41785).
		case told.Code == codes.Canceled && c.harmless[method] && crossed < 2 && ctx.Err() == nil &&
			conn.GetState() != connectivity.Shutdown && inTime(ctx, crossedWait):
			crossed++
			if !pause(ctx, crossedWait) {
				return err
			}
		default:
			return err
		}
	}
}

// pause waits, and says whether the caller does too.
func pause(ctx context.Context, wait time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(wait):
		return true
	}
}

func inTime(ctx context.Context, wait time.Duration) bool {
	deadline, bounded := ctx.Deadline()
	return !bounded || time.Now().Add(wait).Before(deadline)
}

func (c *Client) stream(ctx context.Context, description *grpc.StreamDesc, conn *grpc.ClientConn,
	method string, open grpc.Streamer, options ...grpc.CallOption) (grpc.ClientStream, error) {
	token, err := c.tokens.get(ctx)
	if err != nil {
		return nil, err
	}
	stream, err := open(withToken(ctx, token), description, conn, method, options...)
	if err != nil {
		return nil, toError(err)
	}
	return &clientStream{stream}, nil
}

type clientStream struct{ grpc.ClientStream }

func (s *clientStream) SendMsg(message any) error {
	return toError(s.ClientStream.SendMsg(repeatable(message)))
}
func (s *clientStream) RecvMsg(message any) error { return toError(s.ClientStream.RecvMsg(message)) }

func withToken(ctx context.Context, token string) context.Context {
	return metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+token)
}

// repeatable returns the request with a request_id, where it may have one and has none; the caller's
// stays as it is.
func repeatable(request any) any {
	message, ok := request.(proto.Message)
	if !ok {
		return request
	}
	field := message.ProtoReflect().Descriptor().Fields().ByName("request_id")
	if field == nil || message.ProtoReflect().Has(field) {
		return request
	}
	copied := proto.Clone(message)
	copied.ProtoReflect().Set(field, protoreflect.ValueOfString(uuid.NewString()))
	return copied
}

// tokens keeps the token of a source until it is about to end.
type tokens struct {
	source func(context.Context) (string, error)

	mutex sync.Mutex
	token string
	until time.Time
}

func (t *tokens) get(ctx context.Context) (string, error) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	if t.token != "" && time.Now().Before(t.until) {
		return t.token, nil
	}
	token, err := t.source(ctx)
	if err != nil {
		return "", fmt.Errorf("rapport: no token: %w", err)
	}
	// One without an end, or with less than a margin of life, is asked for at each call.
	t.token, t.until = token, expiry(token).Add(-margin)
	return token, nil
}

// refused drops a token that the server refused, and says whether there is another to try.
func (t *tokens) refused(ctx context.Context, token string) bool {
	t.mutex.Lock()
	if t.token == token {
		t.token = ""
	}
	t.mutex.Unlock()
	other, err := t.get(ctx)
	return err == nil && other != token
}

// expiry reads `exp` of a JWT. It verifies nothing: the server does.
func expiry(token string) time.Time {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return time.Time{}
	}
	body, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return time.Time{}
	}
	var claims struct {
		Exp int64 `json:"exp"`
	}
	if json.Unmarshal(body, &claims) != nil || claims.Exp == 0 {
		return time.Time{}
	}
	return time.Unix(claims.Exp, 0)
}
