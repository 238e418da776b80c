// What the Go client does for its callers, asked of the running suite and of the faults before it.
package tests

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	commonv1 "rapport.local/client/gen/rapport/common/v1"
	schedulingv1 "rapport.local/client/gen/rapport/scheduling/v1"
	"rapport.local/client/rapport"
)

var organization = os.Getenv("RAPPORT_ORGANIZATION")

type source struct {
	tokens []string
	asked  atomic.Int32
}

// ask returns the tokens one after the other, the last for ever.
func (s *source) ask(context.Context) (string, error) {
	n := int(s.asked.Add(1))
	return s.tokens[min(n, len(s.tokens))-1], nil
}

func good(t *testing.T) string {
	t.Helper()
	token, err := os.ReadFile(os.Getenv("RAPPORT_TOKEN_FILE"))
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(token))
}

func forged(t *testing.T) string { token := good(t); return token[:len(token)-4] + "AAAA" }

// open makes a client whose scheduling service is behind what the variable names.
func open(t *testing.T, variable string, tokens ...string) (*rapport.Client, *source) {
	t.Helper()
	if len(tokens) == 0 {
		tokens = []string{good(t)}
	}
	asked := &source{tokens: tokens}
	client, err := rapport.New(rapport.Options{Scheduling: os.Getenv(variable), Token: asked.ask})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client, asked
}

func soon(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func newClinic(name string) *schedulingv1.CreateClinicRequest {
	return &schedulingv1.CreateClinicRequest{Parent: organization, Clinic: &schedulingv1.Clinic{
		DisplayName: name, TimeZone: "Europe/London", Jurisdiction: "GB-ENG"}}
}

func create(t *testing.T, client *rapport.Client, name string) string {
	t.Helper()
	made, err := schedulingv1.NewDirectoryServiceClient(client.Scheduling).CreateClinic(soon(t), newClinic(name))
	if err != nil {
		t.Fatal(err)
	}
	return made.Name
}

func list(ctx context.Context, client *rapport.Client) ([]*schedulingv1.Clinic, error) {
	page, err := schedulingv1.NewDirectoryServiceClient(client.Scheduling).ListClinics(ctx,
		&schedulingv1.ListClinicsRequest{Parent: organization, PageSize: 500})
	return page.GetClinics(), err
}

func told(t *testing.T, err error, kind error) *rapport.Error {
	t.Helper()
	var made *rapport.Error
	if !errors.Is(err, kind) || !errors.As(err, &made) {
		t.Fatalf("got %v, not %v", err, kind)
	}
	return made
}

func TestABadRequestNamesEachField(t *testing.T) {
	client, _ := open(t, "RAPPORT_SCHEDULING")
	request := newClinic("")
	request.Clinic.TimeZone = "Mars/Olympus"
	_, err := schedulingv1.NewDirectoryServiceClient(client.Scheduling).CreateClinic(soon(t), request)
	bad := told(t, err, rapport.ErrInvalidArgument)
	fields := []string{}
	for _, field := range bad.Fields {
		fields = append(fields, field.Field)
	}
	if !slices.Equal(fields, []string{"clinic.display_name", "clinic.time_zone"}) {
		t.Error(fields)
	}
	if bad.Reason != "INVALID_FIELD" || status.Code(err) != codes.InvalidArgument {
		t.Error(bad.Reason, status.Code(err))
	}
}

func TestEachCodeHasItsKindAndReason(t *testing.T) {
	client, _ := open(t, "RAPPORT_SCHEDULING")
	stub := schedulingv1.NewDirectoryServiceClient(client.Scheduling)
	_, err := stub.GetClinic(soon(t), &schedulingv1.GetClinicRequest{Name: organization + "/clinics/absent"})
	if reason := told(t, err, rapport.ErrNotFound).Reason; reason != "RESOURCE_NOT_FOUND" {
		t.Error(reason)
	}
	clinic, err := stub.CreateClinic(soon(t), newClinic("Etag"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err = stub.UpdateClinic(soon(t), &schedulingv1.UpdateClinicRequest{Clinic: clinic}); err != nil {
		t.Fatal(err)
	}
	clinic.DisplayName = "Other"
	if _, err = stub.UpdateClinic(soon(t), &schedulingv1.UpdateClinicRequest{Clinic: clinic}); err != nil {
		if reason := told(t, err, rapport.ErrAborted).Reason; reason != "STALE_ETAG" {
			t.Error(reason)
		}
	}
}

func TestATokenThatLastsIsAskedForOnce(t *testing.T) {
	client, source := open(t, "RAPPORT_SCHEDULING")
	for range 3 {
		if _, err := list(soon(t), client); err != nil {
			t.Fatal(err)
		}
	}
	if asked := source.asked.Load(); asked != 1 {
		t.Error(asked)
	}
}

func TestATokenThatIsRefusedIsReplacedWithinTheCall(t *testing.T) {
	client, source := open(t, "RAPPORT_SCHEDULING", forged(t), good(t))
	if _, err := list(soon(t), client); err != nil {
		t.Fatal(err)
	}
	if asked := source.asked.Load(); asked != 2 {
		t.Error(asked)
	}
}

func TestAWrongTokenFailsOnceAnotherWasAskedFor(t *testing.T) {
	client, source := open(t, "RAPPORT_SCHEDULING", forged(t))
	_, err := list(soon(t), client)
	if reason := told(t, err, rapport.ErrUnauthenticated).Reason; reason != "UNAUTHENTICATED" {
		t.Error(reason)
	}
	if asked := source.asked.Load(); asked != 2 {
		t.Error(asked)
	}
}

func TestACallEndsByItsDeadline(t *testing.T) {
	client, _ := open(t, "RAPPORT_SLOW")
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	_, err := list(ctx, client)
	told(t, err, rapport.ErrDeadlineExceeded)
}

func TestAFullServerThatSaysSoonIsAskedAgain(t *testing.T) {
	client, _ := open(t, "RAPPORT_BUSY")
	for range 3 {
		if _, err := list(soon(t), client); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAFullServerThatSaysLaterIsTheCallersToWaitFor(t *testing.T) {
	client, _ := open(t, "RAPPORT_FULL")
	_, err := list(soon(t), client)
	if full := told(t, err, rapport.ErrResourceExhausted); full.RetryAfter != 2500*time.Millisecond {
		t.Error(full.RetryAfter)
	}
}

func TestAChangeWhoseAnswerWasLostIsDoneOnce(t *testing.T) {
	lossy, _ := open(t, "RAPPORT_LOST")
	client, _ := open(t, "RAPPORT_SCHEDULING")
	before, err := list(soon(t), client)
	if err != nil {
		t.Fatal(err)
	}
	made := create(t, lossy, "Lost")
	after, err := list(soon(t), client)
	if err != nil || len(after) != len(before)+1 {
		t.Fatalf("%d became %d, %v", len(before), len(after), err)
	}
	if !slices.ContainsFunc(after, func(clinic *schedulingv1.Clinic) bool { return clinic.Name == made }) {
		t.Error(made, "is not among them")
	}
}

func TestAFeedGoesOnOverStreamsThatAreCut(t *testing.T) {
	client, _ := open(t, "RAPPORT_SCHEDULING")
	cut, _ := open(t, "RAPPORT_CUT")
	made := []string{create(t, client, "First")}
	seen := []string{}
	enough := errors.New("enough")
	err := cut.Watch(soon(t), cut.Scheduling, rapport.WatchOptions{
		Types:        []string{"rapport.scheduling.v1.ClinicEvent"},
		FirstBackoff: time.Millisecond,
	}, func(response *commonv1.WatchResponse) error {
		for _, event := range response.Events {
			if event.Resource == made[0] || len(seen) > 0 {
				seen = append(seen, event.Resource)
			}
		}
		if len(seen) == 4 {
			return enough
		}
		if len(seen) == len(made) {
			made = append(made, create(t, client, "Next"))
		}
		return nil
	})
	if !errors.Is(err, enough) || !slices.Equal(seen, made) {
		t.Fatal(err, seen, made)
	}
}

func TestACallThatCrossedTheGoawayOfAServerThatDrainsIsMadeAgain(t *testing.T) {
	client, _ := open(t, "RAPPORT_SCHEDULING")
	crossed, _ := open(t, "RAPPORT_CROSSED")
	before, err := list(soon(t), client)
	if err != nil {
		t.Fatal(err)
	}
	made := create(t, crossed, "Crossed")
	after, err := list(soon(t), crossed)
	if err != nil || len(after) != len(before)+1 {
		t.Fatalf("%d became %d, %v", len(before), len(after), err)
	}
	enough := errors.New("enough")
	err = crossed.Watch(soon(t), crossed.Scheduling, rapport.WatchOptions{
		Types:        []string{"rapport.scheduling.v1.ClinicEvent"},
		FirstBackoff: time.Millisecond,
	}, func(response *commonv1.WatchResponse) error {
		for _, event := range response.Events {
			if event.Resource == made {
				return enough
			}
		}
		return nil
	})
	if !errors.Is(err, enough) {
		t.Fatal(err)
	}
}

func TestACallThatMayDoHarmTwiceIsNotMadeAgain(t *testing.T) {
	crossed, _ := open(t, "RAPPORT_CROSSED")
	_, err := commonv1.NewEventServiceClient(crossed.Scheduling).RetryParkedEvents(soon(t),
		&commonv1.RetryParkedEventsRequest{})
	told(t, err, rapport.ErrCanceled)
}

func TestACallThatTheCallerGaveUpIsNotMadeAgain(t *testing.T) {
	client, source := open(t, "RAPPORT_SLOW")
	ctx, cancel := context.WithCancel(soon(t))
	cancel()
	_, err := list(ctx, client)
	told(t, err, rapport.ErrCanceled)
	if asked := source.asked.Load(); asked != 1 {
		t.Error(asked)
	}
}

func TestACursorThatIsNoneIsNotTriedForEver(t *testing.T) {
	client, _ := open(t, "RAPPORT_SCHEDULING")
	err := client.Watch(soon(t), client.Scheduling, rapport.WatchOptions{Cursor: "nonsense"},
		func(*commonv1.WatchResponse) error { return nil })
	if bad := told(t, err, rapport.ErrInvalidArgument); bad.Fields[0].Field != "cursor" {
		t.Error(bad.Fields)
	}
}
