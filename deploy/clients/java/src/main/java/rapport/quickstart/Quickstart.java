package rapport.quickstart;

import com.google.type.Date;
import com.google.type.DayOfWeek;
import com.google.type.TimeOfDay;
import io.grpc.internal.GrpcUtil;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import rapport.assessment.v1.Answer;
import rapport.assessment.v1.Score;
import rapport.assessment.v1.ScoreRequest;
import rapport.assessment.v1.ScoringServiceGrpc;
import rapport.assessment.v1.ScoringServiceGrpc.ScoringServiceBlockingStub;
import rapport.client.RapportClient;
import rapport.client.RapportClient.Service;
import rapport.client.RapportClient.WatchOptions;
import rapport.scheduling.v1.Appointment;
import rapport.scheduling.v1.AppointmentServiceGrpc;
import rapport.scheduling.v1.AppointmentServiceGrpc.AppointmentServiceBlockingStub;
import rapport.scheduling.v1.BeginAssessmentRequest;
import rapport.scheduling.v1.BookAppointmentRequest;
import rapport.scheduling.v1.Clinic;
import rapport.scheduling.v1.Clinician;
import rapport.scheduling.v1.Course;
import rapport.scheduling.v1.CourseServiceGrpc;
import rapport.scheduling.v1.CourseServiceGrpc.CourseServiceBlockingStub;
import rapport.scheduling.v1.CreateClinicRequest;
import rapport.scheduling.v1.CreateClinicianRequest;
import rapport.scheduling.v1.CreateCourseRequest;
import rapport.scheduling.v1.DirectoryServiceGrpc;
import rapport.scheduling.v1.DirectoryServiceGrpc.DirectoryServiceBlockingStub;
import rapport.scheduling.v1.ListAppointmentsRequest;
import rapport.scheduling.v1.Opening;
import rapport.scheduling.v1.OpeningServiceGrpc;
import rapport.scheduling.v1.OpeningServiceGrpc.OpeningServiceBlockingStub;
import rapport.scheduling.v1.PatientParticulars;
import rapport.scheduling.v1.Profession;
import rapport.scheduling.v1.SearchOpeningsRequest;
import rapport.scheduling.v1.WorkingHours;

/**
 * From nothing to a booked first session, and what the feed tells of it. Run it again: nothing is done
 * twice. Environment: RAPPORT_SCHEDULING, RAPPORT_ASSESSMENT, RAPPORT_ORGANIZATION, RAPPORT_TOKEN_FILE; the
 * token's subject is "thea", its roles are organization_admin, therapist and integration.
 */
public final class Quickstart {
  private static final String ORGANIZATION = System.getenv("RAPPORT_ORGANIZATION");
  private final RapportClient client;

  private Quickstart(RapportClient client) {
    this.client = client;
  }

  /** A clinic, and a therapist who works there on every day of the week. */
  private Clinician directory() {
    var stub = DirectoryServiceGrpc.newBlockingStub(client.channel(Service.SCHEDULING));
    Clinic clinic = client.call(stub, DirectoryServiceBlockingStub::createClinic,
        CreateClinicRequest.newBuilder().setParent(ORGANIZATION).setClinicId("london")
            .setRequestId("quickstart-clinic")
            .setClinic(Clinic.newBuilder().setDisplayName("London").setTimeZone("Europe/London")
                .setJurisdiction("GB-ENG"))
            .build());
    List<WorkingHours> hours = Stream.of(DayOfWeek.values())
        .filter(day -> day != DayOfWeek.DAY_OF_WEEK_UNSPECIFIED && day != DayOfWeek.UNRECOGNIZED)
        .map(day -> WorkingHours.newBuilder().setClinic(clinic.getName()).setDayOfWeek(day)
            .setStartTime(TimeOfDay.newBuilder().setHours(9))
            .setEndTime(TimeOfDay.newBuilder().setHours(17)).build())
        .toList();
    return client.call(stub, DirectoryServiceBlockingStub::createClinician,
        CreateClinicianRequest.newBuilder().setParent(ORGANIZATION).setClinicianId("thea")
            .setRequestId("quickstart-clinician")
            .setClinician(Clinician.newBuilder().setDisplayName("Thea").setSubject("thea")
                .setLicenceNumber("1").setProfession(Profession.PROFESSION_PSYCHOLOGIST)
                .setLicenceExpireDate(Date.newBuilder().setYear(2040).setMonth(1).setDay(1))
                .addClinics(clinic.getName()).addCertifiedProtocols("classic").addAllWeeklyHours(hours))
            .build());
  }

  /** A course for a patient of the caller's registry, whose assessment begins. */
  private Course propose(Clinician clinician) {
    var stub = CourseServiceGrpc.newBlockingStub(client.channel(Service.SCHEDULING));
    Course course = client.call(stub, CourseServiceBlockingStub::createCourse,
        CreateCourseRequest.newBuilder().setParent(ORGANIZATION).setRequestId("quickstart-course")
            .setCourse(Course.newBuilder().setPatient(ORGANIZATION + "/patients/4711")
                .setClinic(clinician.getClinics(0)).setClinician(clinician.getName())
                .setProtocol("protocols/classic/revisions/1")
                .setPatientParticulars(PatientParticulars.newBuilder().setBirthYear(1980)
                    .setBirthMonth(5).setJurisdiction("GB-ENG").setTimeZone("Europe/London")))
            .build());
    return client.call(stub, CourseServiceBlockingStub::beginAssessment,
        BeginAssessmentRequest.newBuilder().setName(course.getName())
            .setRequestId("quickstart-begin").build());
  }

  /** The course's session, or else the first opening. */
  private Appointment book(Course course) throws InterruptedException {
    var stub = AppointmentServiceGrpc.newBlockingStub(client.channel(Service.SCHEDULING));
    List<Appointment> booked = client.call(stub, AppointmentServiceBlockingStub::listAppointments,
        ListAppointmentsRequest.newBuilder().setParent(ORGANIZATION).setCourse(course.getName()).build())
        .getAppointmentsList();
    if (!booked.isEmpty()) {
      return booked.get(0);
    }
    var openings = OpeningServiceGrpc.newBlockingStub(client.channel(Service.SCHEDULING));
    for (int tries = 0; tries < 50; tries++) {
      List<Opening> found = client.call(openings, OpeningServiceBlockingStub::searchOpenings,
          SearchOpeningsRequest.newBuilder().setParent(ORGANIZATION).setCourse(course.getName())
              .setPageSize(1).build()).getOpeningsList();
      if (!found.isEmpty()) {
        return client.call(stub, AppointmentServiceBlockingStub::bookAppointment,
            BookAppointmentRequest.newBuilder().setCourse(course.getName())
                .setLocalDate(found.get(0).getLocalDate()).setLocalTime(found.get(0).getLocalTime())
                .setRequestId("quickstart-book").build());
      }
      Thread.sleep(100); // who is new in the directory is found within a second
    }
    throw new IllegalStateException("no opening");
  }

  private Score score(int... values) {
    ScoreRequest.Builder form = ScoreRequest.newBuilder().setInstrument("instruments/phq-9");
    for (int i = 0; i < values.length; i++) {
      form.addAnswers(Answer.newBuilder().setItem(i + 1).setValue(values[i]));
    }
    var stub = ScoringServiceGrpc.newBlockingStub(client.channel(Service.ASSESSMENT));
    return client.call(stub, ScoringServiceBlockingStub::score, form.build()).getScore();
  }

  public static void main(String[] words) throws InterruptedException {
    System.out.println("grpc " + GrpcUtil.getGrpcBuildVersion().getImplementationVersion());
    try (var client = new RapportClient(
        Map.of(Service.SCHEDULING, System.getenv("RAPPORT_SCHEDULING"),
            Service.ASSESSMENT, System.getenv("RAPPORT_ASSESSMENT")),
        RapportClient.fromFile(Path.of(System.getenv("RAPPORT_TOKEN_FILE"))))) {
      var story = new Quickstart(client);
      Clinician clinician = story.directory();
      System.out.println("clinic " + clinician.getClinics(0));
      System.out.println("clinician " + clinician.getName());
      Course course = story.propose(clinician);
      System.out.println("course " + course.getState() + " of " + course.getPatient());
      System.out.println("appointment " + story.book(course).getName());
      Score score = story.score(2, 3, 1, 2, 1, 1, 0, 1, 0);
      System.out.printf("score %.0f %s%n", score.getTotal(), score.getSeverity());
      client.watch(Service.SCHEDULING, WatchOptions.of("rapport.scheduling.v1.CourseEvent"),
          response -> response.getEventsList().stream()
              .filter(event -> event.getResource().equals(course.getName())).findFirst()
              .map(event -> {
                System.out.println("told of version " + event.getVersion());
                return false;
              }).orElse(true));
    }
  }
}
