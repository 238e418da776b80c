/**
 * From nothing to a booked first session, and what the feed tells of it. Run it again: nothing is done
 * twice.
 *
 *     RAPPORT_SCHEDULING=127.0.0.1:7401 RAPPORT_ASSESSMENT=127.0.0.1:7402 \
 *     RAPPORT_ORGANIZATION=organizations/riverside RAPPORT_TOKEN_FILE=token node dist/quickstart.js
 *
 * The token's subject is "thea"; its roles are organization_admin, therapist and integration.
 */
import { createRequire } from "node:module";
import { setTimeout as sleep } from "node:timers/promises";

import { ScoreRequest, ScoringServiceClient } from "./gen/rapport/assessment/v1/scoring_service.js";
import type { Appointment } from "./gen/rapport/scheduling/v1/appointment.js";
import {
  AppointmentServiceClient,
  BookAppointmentRequest,
  ListAppointmentsRequest,
} from "./gen/rapport/scheduling/v1/appointment_service.js";
import { type Course, CourseState } from "./gen/rapport/scheduling/v1/course.js";
import {
  BeginAssessmentRequest,
  CourseServiceClient,
  CreateCourseRequest,
} from "./gen/rapport/scheduling/v1/course_service.js";
import { Profession } from "./gen/rapport/scheduling/v1/directory.js";
import {
  CreateClinicianRequest,
  CreateClinicRequest,
  DirectoryServiceClient,
} from "./gen/rapport/scheduling/v1/directory_service.js";
import {
  OpeningServiceClient,
  SearchOpeningsRequest,
} from "./gen/rapport/scheduling/v1/opening_service.js";
import { Client, fromFile } from "./src/rapport.js";

function environment(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set`);
  return value;
}

const organization = environment("RAPPORT_ORGANIZATION");

/** A clinic, and a therapist who works there on every day of the week. */
async function directory(client: Client): Promise<[clinic: string, clinician: string]> {
  const stub = client.stub(DirectoryServiceClient);
  const clinic = await stub.createClinic(
    CreateClinicRequest.fromPartial({
      parent: organization,
      clinicId: "london",
      requestId: "quickstart-clinic",
      clinic: { displayName: "London", timeZone: "Europe/London", jurisdiction: "GB-ENG" },
    }),
  );
  const clinician = await stub.createClinician(
    CreateClinicianRequest.fromPartial({
      parent: organization,
      clinicianId: "thea",
      requestId: "quickstart-clinician",
      clinician: {
        displayName: "Thea",
        subject: "thea",
        licenceNumber: "1",
        profession: Profession.PROFESSION_PSYCHOLOGIST,
        licenceExpireDate: { year: 2040, month: 1, day: 1 },
        clinics: [clinic.name],
        certifiedProtocols: ["classic"],
        weeklyHours: [1, 2, 3, 4, 5, 6, 7].map((dayOfWeek) => ({
          clinic: clinic.name,
          dayOfWeek,
          startTime: { hours: 9 },
          endTime: { hours: 17 },
        })),
      },
    }),
  );
  return [clinic.name, clinician.name];
}

/** A course for a patient of the caller's registry, whose assessment begins. */
async function propose(client: Client, clinic: string, clinician: string): Promise<Course> {
  const stub = client.stub(CourseServiceClient);
  const course = await stub.createCourse(
    CreateCourseRequest.fromPartial({
      parent: organization,
      requestId: "quickstart-course",
      course: {
        patient: `${organization}/patients/4711`,
        clinic,
        clinician,
        protocol: "protocols/classic/revisions/1",
        patientParticulars: {
          birthYear: 1980,
          birthMonth: 5,
          jurisdiction: "GB-ENG",
          timeZone: "Europe/London",
        },
      },
    }),
  );
  return stub.beginAssessment(
    BeginAssessmentRequest.fromPartial({ name: course.name, requestId: "quickstart-begin" }),
  );
}

/** The course's session, or else the first opening. */
async function book(client: Client, course: Course): Promise<Appointment> {
  const stub = client.stub(AppointmentServiceClient);
  const { appointments } = await stub.listAppointments(
    ListAppointmentsRequest.fromPartial({ parent: organization, course: course.name }),
  );
  if (appointments.length > 0) return appointments[0];
  for (let tries = 0; tries < 50; tries++) {
    const { openings } = await client
      .stub(OpeningServiceClient)
      .searchOpenings(
        SearchOpeningsRequest.fromPartial({ parent: organization, course: course.name, pageSize: 1 }),
      );
    if (openings.length > 0) {
      return stub.bookAppointment(
        BookAppointmentRequest.fromPartial({
          course: course.name,
          localDate: openings[0].localDate,
          localTime: openings[0].localTime,
          requestId: "quickstart-book",
        }),
      );
    }
    await sleep(100); // who is new in the directory is found within a second
  }
  throw new Error("no opening");
}

const client = new Client({
  scheduling: environment("RAPPORT_SCHEDULING"),
  assessment: environment("RAPPORT_ASSESSMENT"),
  token: fromFile(environment("RAPPORT_TOKEN_FILE")),
});
console.log(`grpc ${createRequire(import.meta.url)("@grpc/grpc-js/package.json").version}`);
const [clinic, clinician] = await directory(client);
console.log(`clinic ${clinic}`);
console.log(`clinician ${clinician}`);
const course = await propose(client, clinic, clinician);
console.log(`course ${CourseState[course.state]} of ${course.patient}`);
console.log(`appointment ${(await book(client, course)).name}`);

const { score } = await client.stub(ScoringServiceClient).score(
  ScoreRequest.fromPartial({
    instrument: "instruments/phq-9",
    answers: [2, 3, 1, 2, 1, 1, 0, 1, 0].map((value, i) => ({ item: i + 1, value })),
  }),
);
console.log(`score ${score?.total} ${score?.severity}`);

feed: for await (const response of client.watch("scheduling", {
  types: ["rapport.scheduling.v1.CourseEvent"],
})) {
  for (const event of response.events) {
    if (event.resource === course.name) {
      console.log(`told of version ${event.version}`);
      break feed;
    }
  }
}
client.close();
