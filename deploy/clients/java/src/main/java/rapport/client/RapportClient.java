package rapport.client;

import com.google.gson.Gson;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ChannelCredentials;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.Context;
import io.grpc.ForwardingClientCall.SimpleForwardingClientCall;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.AbstractStub;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BiFunction;
import java.util.function.Predicate;
import java.util.function.Supplier;
import rapport.common.v1.EventServiceGrpc;
import rapport.common.v1.WatchRequest;
import rapport.common.v1.WatchResponse;

/**
 * Calls the Rapport suite: channels for the generated stubs, and what every caller needs around a call.
 *
 * <pre>{@code
 * try (var client = new RapportClient(Map.of(Service.SCHEDULING, "localhost:7401"), fromFile(path))) {
 *   var courses = CourseServiceGrpc.newBlockingStub(client.channel(Service.SCHEDULING));
 *   var course = client.call(courses, CourseServiceBlockingStub::getCourse, request);
 * }
 * }</pre>
 *
 * Every call on a channel carries a token that is still valid, ends by a deadline, has a request_id
 * where it may have one, and is repeated where the service config says so. {@link #call} besides repeats
 * once with another token, twice where a full server says to come back within a second, and what does no
 * harm twice where it crossed the GOAWAY of a server that drains; and throws a {@link RapportException}.
 * {@link #watch} follows the event feed over dropped streams. Thread-safe.
 */
public final class RapportClient implements AutoCloseable {
  /** The services. */
  public enum Service { SCHEDULING, ASSESSMENT, NOTES }

  /** How a feed is followed: where from, and how long to wait between two tries. */
  public record WatchOptions(
      List<String> types, String cursor, boolean fromSnapshot, Duration firstBackoff, Duration mostBackoff) {
    public static WatchOptions of(String... types) {
      return new WatchOptions(
          List.of(types), "", false, Duration.ofMillis(100), Duration.ofSeconds(10));
    }

    public WatchOptions after(String cursor) {
      return new WatchOptions(types, cursor, fromSnapshot, firstBackoff, mostBackoff);
    }
  }

  // A token is replaced so long before it ends, that no call under way outlives it on the server.
  private static final Duration MARGIN = Duration.ofMinutes(1);
  // How long a full server may have a call wait; to wait for longer is the caller's decision.
  private static final Duration MOST_WAIT = Duration.ofSeconds(1);
  private static final Set<Status.Code> RESUMABLE = Set.of(
      Status.Code.UNAVAILABLE, Status.Code.RESOURCE_EXHAUSTED, Status.Code.DEADLINE_EXCEEDED,
      Status.Code.INTERNAL, Status.Code.UNKNOWN, Status.Code.ABORTED, Status.Code.CANCELLED);
  // How long until the channel, too, has seen the GOAWAY that a call crossed.
  private static final Duration CROSSED_WAIT = Duration.ofMillis(50);
  // Where a call says which method it is of.
  private static final CallOptions.Key<AtomicReference<String>> CALLED =
      CallOptions.Key.create("rapport-called");
  private static final Metadata.Key<String> AUTHORIZATION =
      Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);

  private final Tokens tokens;
  private final Map<Service, ManagedChannel> channels = new EnumMap<>(Service.class);
  // Methods that the service configs repeat: reads, and changes under a request_id.
  private final Set<String> harmless = new HashSet<>();
  private volatile boolean closed = false;

  /** A client of the services whose addresses are given. `token` is asked when one is needed. */
  public RapportClient(
      Map<Service, String> addresses, Supplier<String> token, ChannelCredentials credentials) {
    tokens = new Tokens(token);
    addresses.forEach((service, address) -> {
      Map<String, ?> config = serviceConfig(service);
      channels.put(service, Grpc.newChannelBuilder(address, credentials)
          .defaultServiceConfig(config)
          .disableServiceConfigLookUp()
          .enableRetry()
          .intercept(new Outgoing())
          .build());
      for (Object one : (List<?>) config.get("methodConfig")) {
        Map<?, ?> methods = (Map<?, ?>) one;
        for (Object name : methods.containsKey("retryPolicy") ? (List<?>) methods.get("name") : List.of()) {
          harmless.add(((Map<?, ?>) name).get("service") + "/" + ((Map<?, ?>) name).get("method"));
        }
      }
    });
  }

  /** The same without TLS, for development. */
  public RapportClient(Map<Service, String> addresses, Supplier<String> token) {
    this(addresses, token, InsecureChannelCredentials.create());
  }

  /** A token that something else keeps fresh in a file, as an orchestrator does. */
  public static Supplier<String> fromFile(Path path) {
    return () -> {
      try {
        return Files.readString(path).strip();
      } catch (IOException error) {
        throw new UncheckedIOException(error);
      }
    };
  }

  /** The channel to a service, for any generated stub. */
  public Channel channel(Service service) {
    ManagedChannel channel = channels.get(service);
    if (channel == null) {
      throw new IllegalArgumentException("the client was given no address of " + service);
    }
    return channel;
  }

  /** Calls a unary method. Ends by the service config's time-out. */
  public <S extends AbstractStub<S>, Q extends Message, R> R call(
      S stub, BiFunction<S, Q, R> method, Q request) {
    return call(stub, method, request, null);
  }

  /** Calls a unary method. Ends by `timeout`, with all its tries. */
  @SuppressWarnings("unchecked")
  public <S extends AbstractStub<S>, Q extends Message, R> R call(
      S stub, BiFunction<S, Q, R> method, Q request, Duration timeout) {
    Q repeatable = (Q) withRequestId(request);
    Instant until = timeout == null ? Instant.MAX : Instant.now().plus(timeout);
    AtomicReference<String> called = new AtomicReference<>("");
    S asked = stub.withOption(CALLED, called);
    S bounded = timeout == null
        ? asked : asked.withDeadlineAfter(timeout.toNanos(), TimeUnit.NANOSECONDS);
    boolean refreshed = false;
    int crossed = 0;
    for (int waits = 0; ; ) {
      String token = tokens.get();
      try {
        return method.apply(bounded, repeatable);
      } catch (StatusRuntimeException caught) {
        RapportException error = RapportException.of(caught);
        if (error instanceof RapportException.Unauthenticated && !refreshed && tokens.refused(token)) {
          refreshed = true;
          continue;
        }
        // Nobody here gave it up: so a gRPC server in C++ answers what crosses its GOAWAY when it drains
        // (https://github.com/grpc/grpc/issues/41785).
        if (error.code() == Status.Code.CANCELLED && harmless.contains(called.get()) && crossed < 2
            && !closed && !Context.current().isCancelled() && !Thread.currentThread().isInterrupted()
            && Instant.now().plus(CROSSED_WAIT).isBefore(until)) {
          crossed++;
          sleep(CROSSED_WAIT);
          continue;
        }
        Duration wait = error.retryAfter().orElse(null);
        if (!(error instanceof RapportException.ResourceExhausted) || wait == null || waits == 2
            || wait.compareTo(MOST_WAIT) > 0 || Instant.now().plus(wait).isAfter(until)) {
          throw error;
        }
        waits++;
        sleep(wait);
      }
    }
  }

  /**
   * Follows the feed of a service, whatever happens to streams, until `deal` returns false. Each response
   * is told once the one before is dealt with: keep its cursor together with what you made of its
   * events. Heartbeats have a cursor and no events. Throws {@link RapportException.CursorExpired} where
   * the cursor is too old.
   */
  public void watch(Service service, WatchOptions options, Predicate<WatchResponse> deal) {
    EventServiceGrpc.EventServiceBlockingStub stub = EventServiceGrpc.newBlockingStub(channel(service));
    String cursor = options.cursor();
    for (int failures = 0; ; ) {
      Duration asked = Duration.ZERO;
      Context.CancellableContext context = Context.current().withCancellation();
      Context former = context.attach();
      try {
        Iterator<WatchResponse> stream = stub.watch(WatchRequest.newBuilder()
            .setCursor(cursor)
            .addAllTypes(options.types())
            .setFromSnapshot(options.fromSnapshot() && cursor.isEmpty())
            .build());
        while (hasNext(stream)) {
          WatchResponse response = stream.next();
          failures = 0;
          if (!deal.test(response)) {
            return;
          }
          cursor = response.getCursor();
        }
      } catch (RapportException error) {
        if (error instanceof RapportException.Unauthenticated && failures == 0) {
          tokens.refused(tokens.get());
        } else if (!RESUMABLE.contains(error.code()) || closed || former.isCancelled()
            || Thread.currentThread().isInterrupted()) {
          throw error;
        }
        asked = error.retryAfter().orElse(Duration.ZERO);
      } finally {
        context.detach(former);
        context.cancel(null);
      }
      long longest = Math.min(options.mostBackoff().toNanos(),
          options.firstBackoff().toNanos() << Math.min(failures++, 20));
      Duration wait = Duration.ofNanos(ThreadLocalRandom.current().nextLong(longest / 2, longest + 1));
      sleep(wait.compareTo(asked) > 0 ? wait : asked);
    }
  }

  private static boolean hasNext(Iterator<WatchResponse> stream) {
    try {
      return stream.hasNext();
    } catch (StatusRuntimeException error) {
      throw RapportException.of(error);
    }
  }

  @Override
  public void close() {
    closed = true;
    channels.values().forEach(ManagedChannel::shutdownNow);
  }

  /** The request with a request_id, where it may have one and has none. */
  private static Message withRequestId(Message request) {
    FieldDescriptor field = request.getDescriptorForType().findFieldByName("request_id");
    if (field == null || !((String) request.getField(field)).isEmpty()) {
      return request;
    }
    return request.toBuilder().setField(field, UUID.randomUUID().toString()).build();
  }

  @SuppressWarnings("unchecked")
  private static Map<String, ?> serviceConfig(Service service) {
    String file = service.name().toLowerCase() + "_service_config.json";
    try (InputStream config = RapportClient.class.getResourceAsStream(file)) {
      return new Gson().fromJson(new InputStreamReader(config, StandardCharsets.UTF_8), Map.class);
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    }
  }

  private static void sleep(Duration wait) {
    try {
      Thread.sleep(wait.toMillis(), wait.toNanosPart() % 1_000_000);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw RapportException.of(Status.CANCELLED.withCause(interrupted).asRuntimeException());
    }
  }

  /** What every call takes along: the token, and a request_id where there may be one. */
  private final class Outgoing implements ClientInterceptor {
    @Override
    public <Q, R> ClientCall<Q, R> interceptCall(
        MethodDescriptor<Q, R> method, CallOptions options, Channel next) {
      AtomicReference<String> called = options.getOption(CALLED);
      if (called != null) {
        called.set(method.getFullMethodName());
      }
      return new SimpleForwardingClientCall<>(next.newCall(method, options)) {
        @Override
        public void start(Listener<R> listener, Metadata headers) {
          headers.put(AUTHORIZATION, "Bearer " + tokens.get());
          super.start(listener, headers);
        }

        @Override
        @SuppressWarnings("unchecked")
        public void sendMessage(Q request) {
          super.sendMessage(request instanceof Message message ? (Q) withRequestId(message) : request);
        }
      };
    }
  }

  /** Keeps the token of a source until it is about to end. */
  private static final class Tokens {
    private final Supplier<String> source;
    private String token = "";
    private Instant until = Instant.MIN;

    Tokens(Supplier<String> source) {
      this.source = source;
    }

    synchronized String get() {
      if (token.isEmpty() || Instant.now().isAfter(until)) {
        token = source.get();
        // One without an end, or with less than a margin of life, is asked for at each call.
        until = expiry(token).minus(MARGIN);
      }
      return token;
    }

    /** Drops a token that the server refused. Whether there is another to try. */
    synchronized boolean refused(String refused) {
      if (refused.equals(token)) {
        token = "";
      }
      return !get().equals(refused);
    }

    /** `exp` of a JWT. Verifies nothing: the server does. */
    private static Instant expiry(String token) {
      try {
        Map<?, ?> claims = new Gson().fromJson(
            new String(Base64.getUrlDecoder().decode(token.split("\\.")[1]), StandardCharsets.UTF_8),
            Map.class);
        return Instant.ofEpochSecond(((Number) claims.get("exp")).longValue());
      } catch (RuntimeException unreadable) {
        return Instant.EPOCH;
      }
    }
  }
}
