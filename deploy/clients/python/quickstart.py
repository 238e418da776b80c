"""From nothing to a booked first session, and what the feed tells of it. Run it again: nothing is done
twice.

    RAPPORT_SCHEDULING=127.0.0.1:7401 RAPPORT_ASSESSMENT=127.0.0.1:7402 \
    RAPPORT_ORGANIZATION=organizations/riverside RAPPORT_TOKEN_FILE=token python quickstart.py

The token's subject is "thea"; its roles are organization_admin, therapist and integration.
"""
import os
import time

import grpc
from google.type import date_pb2, dayofweek_pb2, timeofday_pb2

import rapport_client
from rapport.assessment.v1 import assessment_pb2, scoring_service_pb2, scoring_service_pb2_grpc
from rapport.scheduling.v1 import (appointment_pb2, appointment_service_pb2,
                                   appointment_service_pb2_grpc, course_pb2, course_service_pb2,
                                   course_service_pb2_grpc, directory_pb2, directory_service_pb2,
                                   directory_service_pb2_grpc, events_pb2, opening_service_pb2,
                                   opening_service_pb2_grpc)

ORGANIZATION = os.environ["RAPPORT_ORGANIZATION"]


def directory(client: rapport_client.Client) -> tuple[str, str]:
    """A clinic, and a therapist who works there on every day of the week."""
    stub = client.stub(directory_service_pb2_grpc.DirectoryServiceStub)
    clinic = stub.CreateClinic(directory_service_pb2.CreateClinicRequest(
        parent=ORGANIZATION, clinic_id="london", request_id="quickstart-clinic",
        clinic=directory_pb2.Clinic(
            display_name="London", time_zone="Europe/London", jurisdiction="GB-ENG")))
    clinician = stub.CreateClinician(directory_service_pb2.CreateClinicianRequest(
        parent=ORGANIZATION, clinician_id="thea", request_id="quickstart-clinician",
        clinician=directory_pb2.Clinician(
            display_name="Thea", subject="thea", licence_number="1",
            profession=directory_pb2.PROFESSION_PSYCHOLOGIST,
            licence_expire_date=date_pb2.Date(year=2040, month=1, day=1),
            clinics=[clinic.name], certified_protocols=["classic"],
            weekly_hours=[directory_pb2.WorkingHours(
                clinic=clinic.name, day_of_week=day,
                start_time=timeofday_pb2.TimeOfDay(hours=9),
                end_time=timeofday_pb2.TimeOfDay(hours=17))
                for day in dayofweek_pb2.DayOfWeek.values()[1:]])))
    return clinic.name, clinician.name


def propose(client: rapport_client.Client, clinic: str, clinician: str) -> course_pb2.Course:
    """A course for a patient of the caller's registry, whose assessment begins."""
    stub = client.stub(course_service_pb2_grpc.CourseServiceStub)
    course = stub.CreateCourse(course_service_pb2.CreateCourseRequest(
        parent=ORGANIZATION, request_id="quickstart-course", course=course_pb2.Course(
            patient=f"{ORGANIZATION}/patients/4711", clinic=clinic, clinician=clinician,
            protocol="protocols/classic/revisions/1",
            patient_particulars=course_pb2.PatientParticulars(
                birth_year=1980, birth_month=5, jurisdiction="GB-ENG", time_zone="Europe/London"))))
    return stub.BeginAssessment(course_service_pb2.BeginAssessmentRequest(
        name=course.name, request_id="quickstart-begin"))


def book(client: rapport_client.Client, course: course_pb2.Course) -> appointment_pb2.Appointment:
    """The course's session, or else the first opening."""
    stub = client.stub(appointment_service_pb2_grpc.AppointmentServiceStub)
    booked = stub.ListAppointments(appointment_service_pb2.ListAppointmentsRequest(
        parent=ORGANIZATION, course=course.name)).appointments
    if booked:
        return booked[0]
    openings = client.stub(opening_service_pb2_grpc.OpeningServiceStub)
    search = opening_service_pb2.SearchOpeningsRequest(
        parent=ORGANIZATION, course=course.name, page_size=1)
    found = openings.SearchOpenings(search).openings
    for _ in range(50):
        if found:
            break
        time.sleep(0.1)  # who is new in the directory is found within a second
        found = openings.SearchOpenings(search).openings
    first = found[0]
    return stub.BookAppointment(appointment_service_pb2.BookAppointmentRequest(
        course=course.name, local_date=first.local_date, local_time=first.local_time,
        request_id="quickstart-book"))


def main() -> None:
    print(f"grpc {grpc.__version__}")
    with rapport_client.Client(scheduling=os.environ["RAPPORT_SCHEDULING"],
                               assessment=os.environ["RAPPORT_ASSESSMENT"],
                               token=rapport_client.from_file(os.environ["RAPPORT_TOKEN_FILE"])
                               ) as client:
        clinic, clinician = directory(client)
        print(f"clinic {clinic}")
        print(f"clinician {clinician}")
        course = propose(client, clinic, clinician)
        print(f"course {course_pb2.CourseState.Name(course.state)} of {course.patient}")
        print(f"appointment {book(client, course).name}")

        scoring = client.stub(scoring_service_pb2_grpc.ScoringServiceStub)
        score = scoring.Score(scoring_service_pb2.ScoreRequest(
            instrument="instruments/phq-9",
            answers=[assessment_pb2.Answer(item=item, value=value)
                     for item, value in enumerate((2, 3, 1, 2, 1, 1, 0, 1, 0), start=1)])).score
        print(f"score {score.total:.0f} {score.severity}")

        types = [events_pb2.CourseEvent.DESCRIPTOR.full_name]
        for response in client.watch("scheduling", rapport_client.WatchOptions(types=types)):
            told = [event for event in response.events if event.resource == course.name]
            if told:
                print(f"told of version {told[0].version}")
                break


if __name__ == "__main__":
    main()
