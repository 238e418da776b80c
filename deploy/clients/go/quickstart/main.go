// From nothing to a booked first session, and what the feed tells of it. Run it again: nothing is done
// twice.
//
//	RAPPORT_SCHEDULING=127.0.0.1:7401 RAPPORT_ASSESSMENT=127.0.0.1:7402 \
//	RAPPORT_ORGANIZATION=organizations/riverside RAPPORT_TOKEN_FILE=token go run ./quickstart
//
// The token's subject is "thea"; its roles are organization_admin, therapist and integration.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"time"

	"google.golang.org/genproto/googleapis/type/date"
	"google.golang.org/genproto/googleapis/type/dayofweek"
	"google.golang.org/genproto/googleapis/type/timeofday"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	assessmentv1 "rapport.local/client/gen/rapport/assessment/v1"
	commonv1 "rapport.local/client/gen/rapport/common/v1"
	schedulingv1 "rapport.local/client/gen/rapport/scheduling/v1"
	"rapport.local/client/rapport"
)

var organization = os.Getenv("RAPPORT_ORGANIZATION")

// directory makes a clinic, and a therapist who works there on every day of the week.
func directory(ctx context.Context, client *rapport.Client) (clinic, clinician string, err error) {
	stub := schedulingv1.NewDirectoryServiceClient(client.Scheduling)
	made, err := stub.CreateClinic(ctx, &schedulingv1.CreateClinicRequest{
		Parent: organization, ClinicId: "london", RequestId: "quickstart-clinic",
		Clinic: &schedulingv1.Clinic{
			DisplayName: "London", TimeZone: "Europe/London", Jurisdiction: "GB-ENG"}})
	if err != nil {
		return "", "", err
	}
	hours := []*schedulingv1.WorkingHours{}
	for day := dayofweek.DayOfWeek_MONDAY; day <= dayofweek.DayOfWeek_SUNDAY; day++ {
		hours = append(hours, &schedulingv1.WorkingHours{Clinic: made.Name, DayOfWeek: day,
			StartTime: &timeofday.TimeOfDay{Hours: 9}, EndTime: &timeofday.TimeOfDay{Hours: 17}})
	}
	thea, err := stub.CreateClinician(ctx, &schedulingv1.CreateClinicianRequest{
		Parent: organization, ClinicianId: "thea", RequestId: "quickstart-clinician",
		Clinician: &schedulingv1.Clinician{
			DisplayName: "Thea", Subject: "thea", LicenceNumber: "1",
			Profession:        schedulingv1.Profession_PROFESSION_PSYCHOLOGIST,
			LicenceExpireDate: &date.Date{Year: 2040, Month: 1, Day: 1},
			Clinics:           []string{made.Name}, CertifiedProtocols: []string{"classic"},
			WeeklyHours: hours}})
	if err != nil {
		return "", "", err
	}
	return made.Name, thea.Name, nil
}

// propose makes a course for a patient of the caller's registry, and begins its assessment.
func propose(ctx context.Context, client *rapport.Client, clinic, clinician string) (*schedulingv1.Course, error) {
	stub := schedulingv1.NewCourseServiceClient(client.Scheduling)
	course, err := stub.CreateCourse(ctx, &schedulingv1.CreateCourseRequest{
		Parent: organization, RequestId: "quickstart-course",
		Course: &schedulingv1.Course{
			Patient: organization + "/patients/4711", Clinic: clinic, Clinician: clinician,
			Protocol: "protocols/classic/revisions/1",
			PatientParticulars: &schedulingv1.PatientParticulars{
				BirthYear: 1980, BirthMonth: 5, Jurisdiction: "GB-ENG", TimeZone: "Europe/London"}}})
	if err != nil {
		return nil, err
	}
	return stub.BeginAssessment(ctx, &schedulingv1.BeginAssessmentRequest{
		Name: course.Name, RequestId: "quickstart-begin"})
}

// book returns the course's session, or else books the first opening.
func book(ctx context.Context, client *rapport.Client, course *schedulingv1.Course) (*schedulingv1.Appointment, error) {
	stub := schedulingv1.NewAppointmentServiceClient(client.Scheduling)
	booked, err := stub.ListAppointments(ctx, &schedulingv1.ListAppointmentsRequest{
		Parent: organization, Course: course.Name})
	if err != nil {
		return nil, err
	}
	if len(booked.Appointments) > 0 {
		return booked.Appointments[0], nil
	}
	openings := schedulingv1.NewOpeningServiceClient(client.Scheduling)
	var first *schedulingv1.Opening
	for try := 0; first == nil; try++ {
		found, err := openings.SearchOpenings(ctx, &schedulingv1.SearchOpeningsRequest{
			Parent: organization, Course: course.Name, PageSize: 1})
		if err != nil {
			return nil, err
		}
		if len(found.Openings) > 0 {
			first = found.Openings[0]
		} else if try == 50 {
			return nil, errors.New("no opening")
		} else {
			time.Sleep(100 * time.Millisecond) // who is new in the directory is found within a second
		}
	}
	return stub.BookAppointment(ctx, &schedulingv1.BookAppointmentRequest{Course: course.Name,
		LocalDate: first.LocalDate, LocalTime: first.LocalTime, RequestId: "quickstart-book"})
}

func run(ctx context.Context) error {
	fmt.Println("grpc", grpc.Version)
	client, err := rapport.New(rapport.Options{
		Scheduling: os.Getenv("RAPPORT_SCHEDULING"), Assessment: os.Getenv("RAPPORT_ASSESSMENT"),
		Token: rapport.TokenFromFile(os.Getenv("RAPPORT_TOKEN_FILE"))})
	if err != nil {
		return err
	}
	defer client.Close()

	clinic, clinician, err := directory(ctx, client)
	if err != nil {
		return err
	}
	fmt.Println("clinic", clinic)
	fmt.Println("clinician", clinician)
	course, err := propose(ctx, client, clinic, clinician)
	if err != nil {
		return err
	}
	fmt.Println("course", course.State, "of", course.Patient)
	appointment, err := book(ctx, client, course)
	if err != nil {
		return err
	}
	fmt.Println("appointment", appointment.Name)

	form := &assessmentv1.ScoreRequest{Instrument: "instruments/phq-9"}
	for i, value := range []int32{2, 3, 1, 2, 1, 1, 0, 1, 0} {
		form.Answers = append(form.Answers,
			&assessmentv1.Answer{Item: int32(i) + 1, Value: proto.Int32(value)})
	}
	scored, err := assessmentv1.NewScoringServiceClient(client.Assessment).Score(ctx, form)
	if err != nil {
		return err
	}
	fmt.Println("score", scored.Score.GetTotal(), scored.Score.Severity)

	enough := errors.New("enough")
	err = client.Watch(ctx, client.Scheduling,
		rapport.WatchOptions{Types: []string{"rapport.scheduling.v1.CourseEvent"}},
		func(response *commonv1.WatchResponse) error {
			for _, event := range response.Events {
				if event.Resource == course.Name {
					fmt.Println("told of version", event.Version)
					return enough
				}
			}
			return nil
		})
	if !errors.Is(err, enough) {
		return err
	}
	return nil
}

func main() {
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}
