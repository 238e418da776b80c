// What the Java client does for its callers, asked of the running suite and of the faults before it.
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.Status;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import rapport.client.RapportClient;
import rapport.client.RapportClient.Service;
import rapport.client.RapportClient.WatchOptions;
import rapport.client.RapportException;
import rapport.client.RapportException.FieldViolation;
import rapport.common.v1.EventServiceGrpc;
import rapport.common.v1.EventServiceGrpc.EventServiceBlockingStub;
import rapport.common.v1.RetryParkedEventsRequest;
import rapport.scheduling.v1.Clinic;
import rapport.scheduling.v1.CreateClinicRequest;
import rapport.scheduling.v1.DirectoryServiceGrpc;
import rapport.scheduling.v1.DirectoryServiceGrpc.DirectoryServiceBlockingStub;
import rapport.scheduling.v1.GetClinicRequest;
import rapport.scheduling.v1.ListClinicsRequest;
import rapport.scheduling.v1.UpdateClinicRequest;

class ClientTest {
  private static final String ORGANIZATION = System.getenv("RAPPORT_ORGANIZATION");
  private static final String GOOD = good();
  private static final String FORGED = GOOD.substring(0, GOOD.length() - 4) + "AAAA";
  private final List<RapportClient> opened = new ArrayList<>();

  private static String good() {
    try {
      return Files.readString(Path.of(System.getenv("RAPPORT_TOKEN_FILE"))).strip();
    } catch (IOException error) {
      throw new AssertionError(error);
    }
  }

  /** A client whose scheduling service is behind what the variable names. */
  private RapportClient open(String variable, AtomicInteger asked, String... tokens) {
    var client = new RapportClient(Map.of(Service.SCHEDULING, System.getenv(variable)),
        () -> tokens[Math.min(asked.getAndIncrement(), tokens.length - 1)]);
    opened.add(client);
    return client;
  }

  private RapportClient open(String variable) {
    return open(variable, new AtomicInteger(), GOOD);
  }

  @AfterEach
  void close() {
    opened.forEach(RapportClient::close);
  }

  private static DirectoryServiceBlockingStub directory(RapportClient client) {
    return DirectoryServiceGrpc.newBlockingStub(client.channel(Service.SCHEDULING));
  }

  private static CreateClinicRequest newClinic(String name) {
    return CreateClinicRequest.newBuilder().setParent(ORGANIZATION).setClinic(Clinic.newBuilder()
        .setDisplayName(name).setTimeZone("Europe/London").setJurisdiction("GB-ENG")).build();
  }

  private static String create(RapportClient client) {
    return client.call(directory(client), DirectoryServiceBlockingStub::createClinic, newClinic("Harbour"))
        .getName();
  }

  private static List<String> list(RapportClient client, Duration timeout) {
    return client.call(directory(client), DirectoryServiceBlockingStub::listClinics,
        ListClinicsRequest.newBuilder().setParent(ORGANIZATION).setPageSize(500).build(), timeout)
        .getClinicsList().stream().map(Clinic::getName).toList();
  }

  private static List<String> list(RapportClient client) {
    return list(client, Duration.ofSeconds(30));
  }

  @Test
  void aBadRequestNamesEachField() {
    var client = open("RAPPORT_SCHEDULING");
    var request = newClinic("").toBuilder();
    request.getClinicBuilder().setTimeZone("Mars/Olympus");
    var error = assertThrows(RapportException.InvalidArgument.class, () -> client.call(
        directory(client), DirectoryServiceBlockingStub::createClinic, request.build()));
    assertEquals(List.of("clinic.display_name", "clinic.time_zone"),
        error.fieldViolations().stream().map(FieldViolation::field).toList());
    assertEquals("INVALID_FIELD", error.reason());
  }

  @Test
  void eachCodeHasItsClassAndReason() {
    var client = open("RAPPORT_SCHEDULING");
    var absent = assertThrows(RapportException.NotFound.class, () -> client.call(directory(client),
        DirectoryServiceBlockingStub::getClinic,
        GetClinicRequest.newBuilder().setName(ORGANIZATION + "/clinics/absent").build()));
    assertEquals("RESOURCE_NOT_FOUND", absent.reason());
    var clinic = client.call(
        directory(client), DirectoryServiceBlockingStub::createClinic, newClinic("Harbour"));
    var change = UpdateClinicRequest.newBuilder().setClinic(clinic.toBuilder().setDisplayName("Hill"));
    client.call(directory(client), DirectoryServiceBlockingStub::updateClinic, change.build());
    change.getClinicBuilder().setDisplayName("Quay");
    var stale = assertThrows(RapportException.Aborted.class, () -> client.call(
        directory(client), DirectoryServiceBlockingStub::updateClinic, change.build()));
    assertEquals("STALE_ETAG", stale.reason());
  }

  @Test
  void aTokenThatLastsIsAskedForOnce() {
    var asked = new AtomicInteger();
    var client = open("RAPPORT_SCHEDULING", asked, GOOD);
    for (int i = 0; i < 3; i++) {
      list(client);
    }
    assertEquals(1, asked.get());
  }

  @Test
  void aTokenThatIsRefusedIsReplacedWithinTheCall() {
    var asked = new AtomicInteger();
    list(open("RAPPORT_SCHEDULING", asked, FORGED, GOOD));
    assertEquals(2, asked.get());
  }

  @Test
  void aWrongTokenFailsOnceAnotherWasAskedFor() {
    var asked = new AtomicInteger();
    var client = open("RAPPORT_SCHEDULING", asked, FORGED);
    var error = assertThrows(RapportException.Unauthenticated.class, () -> list(client));
    assertEquals("UNAUTHENTICATED", error.reason());
    assertEquals(2, asked.get());
  }

  @Test
  void aCallEndsByItsDeadline() {
    var client = open("RAPPORT_SLOW");
    assertThrows(RapportException.DeadlineExceeded.class, () -> list(client, Duration.ofMillis(200)));
  }

  @Test
  void aFullServerThatSaysSoonIsAskedAgain() {
    var client = open("RAPPORT_BUSY");
    for (int i = 0; i < 3; i++) {
      list(client);
    }
  }

  @Test
  void aFullServerThatSaysLaterIsTheCallersToWaitFor() {
    var client = open("RAPPORT_FULL");
    var error = assertThrows(RapportException.ResourceExhausted.class, () -> list(client));
    assertEquals(Optional.of(Duration.ofMillis(2500)), error.retryAfter());
  }

  @Test
  void aChangeWhoseAnswerWasLostIsDoneOnce() {
    var client = open("RAPPORT_SCHEDULING");
    var before = list(client);
    String made = create(open("RAPPORT_LOST"));
    var after = list(client);
    assertEquals(before.size() + 1, after.size());
    assertTrue(after.contains(made));
  }

  @Test
  void aChangeThroughAPlainStubIsDoneOnceToo() {
    var client = open("RAPPORT_SCHEDULING");
    var before = list(client);
    // As grpc has it, without call(): the request_id is of the channel's making.
    directory(open("RAPPORT_LOST")).createClinic(newClinic("Harbour"));
    directory(open("RAPPORT_LOST")).createClinic(newClinic("Harbour"));
    assertEquals(before.size() + 2, list(client).size());
  }

  @Test
  void aCallThatCrossedTheGoawayOfAServerThatDrainsIsMadeAgain() {
    var client = open("RAPPORT_SCHEDULING");
    var before = list(client);
    var crossed = open("RAPPORT_CROSSED");
    String made = create(crossed);
    assertEquals(before.size() + 1, list(crossed).size());
    var options = new WatchOptions(List.of("rapport.scheduling.v1.ClinicEvent"), "", false,
        Duration.ofMillis(1), Duration.ofSeconds(1));
    List<String> told = new ArrayList<>();
    crossed.watch(Service.SCHEDULING, options, response -> {
      response.getEventsList().forEach(event -> told.add(event.getResource()));
      return !told.contains(made);
    });
    assertTrue(told.contains(made));
  }

  @Test
  void aCallThatMayDoHarmTwiceIsNotMadeAgain() {
    var client = open("RAPPORT_CROSSED");
    var error = assertThrows(RapportException.class, () -> client.call(
        EventServiceGrpc.newBlockingStub(client.channel(Service.SCHEDULING)),
        EventServiceBlockingStub::retryParkedEvents, RetryParkedEventsRequest.getDefaultInstance()));
    assertEquals(Status.Code.CANCELLED, error.code());
  }

  @Test
  void aFeedGoesOnOverStreamsThatAreCut() {
    var client = open("RAPPORT_SCHEDULING");
    List<String> made = new ArrayList<>(List.of(create(client)));
    List<String> told = new ArrayList<>();
    var options = new WatchOptions(List.of("rapport.scheduling.v1.ClinicEvent"), "", false,
        Duration.ofMillis(1), Duration.ofSeconds(1));
    open("RAPPORT_CUT").watch(Service.SCHEDULING, options, response -> {
      response.getEventsList().forEach(event -> {
        if (event.getResource().equals(made.get(0)) || !told.isEmpty()) {
          told.add(event.getResource());
        }
      });
      if (told.size() >= 4) {
        return false;
      }
      if (told.size() == made.size()) {
        made.add(create(client));
      }
      return true;
    });
    assertEquals(made, told);
  }

  @Test
  void aCursorThatIsNoneIsNotTriedForEver() {
    var client = open("RAPPORT_SCHEDULING");
    var error = assertThrows(RapportException.InvalidArgument.class, () -> client.watch(
        Service.SCHEDULING, WatchOptions.of().after("nonsense"), response -> false));
    assertEquals("cursor", error.fieldViolations().get(0).field());
  }
}
