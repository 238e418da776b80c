/**
 * Calls the Rapport suite: the generated stubs, with what every caller needs around them.
 *
 *     const client = new Client({ scheduling: "localhost:7401", token: fromFile(path) });
 *     const courses = client.stub(CourseServiceClient);
 *     const course = await courses.getCourse(GetCourseRequest.fromPartial({ name }));
 *
 * A stub made so
 *   - sends a token that is still valid, and asks for another before it ends or once it is refused;
 *   - ends each call by a deadline: `timeout`, else the service config's;
 *   - repeats what may be repeated: as the service config says, a change under one requestId, which it
 *     fills in where it is empty, and when a full server says to come back within a second;
 *   - rejects with a `RapportError` that knows the reason, each bad field, and when to try again.
 *
 * `Client.watch` follows the event feed over dropped streams.
 */
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";

import * as grpc from "@grpc/grpc-js";

import {
  EventServiceClient,
  WatchRequest,
  type WatchResponse,
} from "../gen/rapport/common/v1/event_service.js";
import {
  Cancelled,
  CursorExpired,
  RapportError,
  ResourceExhausted,
  toError,
  Unauthenticated,
} from "./errors.js";

export * from "./errors.js";

export type Service = "scheduling" | "assessment" | "notes";
export type TokenSource = () => string | Promise<string>;

/** How a call is made; `timeout` in milliseconds. */
export interface CallOptions {
  timeout?: number;
}

/** The methods of a stub of grpc-js, as they are called here. */
export type Calls<Stub> = {
  [K in keyof Stub as Stub[K] extends (...words: never[]) => grpc.Call ? K : never]: Stub[K] extends (
    metadata?: grpc.Metadata,
    options?: Partial<grpc.CallOptions>,
  ) => grpc.ClientDuplexStream<infer Q, infer R>
    ? (options?: CallOptions) => Promise<grpc.ClientDuplexStream<Q, R>>
    : Stub[K] extends (
          request: infer Q,
          metadata?: grpc.Metadata,
          options?: Partial<grpc.CallOptions>,
        ) => grpc.ClientReadableStream<infer R>
      ? (request: Q, options?: CallOptions) => AsyncGenerator<R>
      : Stub[K] extends (
            request: infer Q,
            metadata: grpc.Metadata,
            options: Partial<grpc.CallOptions>,
            callback: (error: grpc.ServiceError | null, response: infer R) => void,
          ) => grpc.ClientUnaryCall
        ? (request: Q, options?: CallOptions) => Promise<R>
        : never;
};

type StubKind<Stub> = {
  new (address: string, credentials: grpc.ChannelCredentials, options?: grpc.ClientOptions): Stub;
  service: grpc.ServiceDefinition;
  serviceName: string;
};

/** How a feed is followed. */
export interface WatchOptions {
  /** Full names of payloads, as "rapport.scheduling.v1.CourseEvent"; none: all. */
  types?: string[];
  /** Of the last response that was dealt with; empty: from the beginning of what is kept. */
  cursor?: string;
  /** First tells the newest event of each resource, whatever its age. */
  fromSnapshot?: boolean;
  /** Bounds of the wait between two tries, in milliseconds. */
  firstBackoff?: number;
  mostBackoff?: number;
}

export interface ClientOptions {
  token: TokenSource;
  scheduling?: string;
  assessment?: string;
  notes?: string;
  /** None: without TLS, for development. */
  credentials?: grpc.ChannelCredentials;
  channelOptions?: grpc.ChannelOptions;
}

// A token is replaced so long before it ends, that no call under way outlives it on the server.
const MARGIN = 60_000;
// How long a full server may have a call wait; to wait for longer is the caller's decision.
const MOST_WAIT = 1000;
// How long until the channel, too, has seen the GOAWAY that a call crossed.
const CROSSED_WAIT = 50;
const RESUMABLE = [
  grpc.status.UNAVAILABLE,
  grpc.status.RESOURCE_EXHAUSTED,
  grpc.status.DEADLINE_EXCEEDED,
  grpc.status.INTERNAL,
  grpc.status.UNKNOWN,
  grpc.status.ABORTED,
  grpc.status.CANCELLED,
];

/** A token that something else keeps fresh in a file, as an orchestrator does. */
export function fromFile(path: string): TokenSource {
  return async () => (await readFile(path, "utf8")).trim();
}

/** Channels to the services whose addresses are given. Close it. */
export class Client {
  private readonly tokens: Tokens;
  private readonly channels = new Map<Service, grpc.Channel>();
  // Paths of the methods that the service configs repeat: reads, and changes under a request_id.
  private readonly harmless = new Set<string>();
  private closed = false;

  constructor(options: ClientOptions) {
    this.tokens = new Tokens(options.token);
    for (const service of ["scheduling", "assessment", "notes"] as const) {
      const address = options[service];
      if (!address) continue;
      const config = readFileSync(
        new URL(`../configs/${service}_service_config.json`, import.meta.url),
        "utf8",
      );
      for (const { name, retryPolicy } of JSON.parse(config).methodConfig) {
        for (const one of retryPolicy ? name : []) this.harmless.add(`/${one.service}/${one.method}`);
      }
      this.channels.set(
        service,
        new grpc.Channel(address, options.credentials ?? grpc.credentials.createInsecure(), {
          "grpc.service_config": config,
          "grpc.service_config_disable_resolution": 1,
          ...options.channelOptions,
        }),
      );
    }
  }

  close(): void {
    this.closed = true;
    for (const channel of this.channels.values()) channel.close();
  }

  /** A stub on the right channel. `service` is needed for what all three serve. */
  stub<Stub extends grpc.Client>(kind: StubKind<Stub>, service?: Service): Calls<Stub> {
    const where = service ?? (kind.serviceName.split(".")[1] as Service);
    const channelOverride = this.channels.get(where);
    if (!channelOverride) {
      throw new TypeError(
        (where as string) === "common"
          ? `${kind.serviceName} is served by more than one service: name it`
          : `the client was given no address of ${where}`,
      );
    }
    const plain = new kind("unused:0", grpc.credentials.createInsecure(), { channelOverride }) as any;
    const calls: any = {};
    for (const [name, { path, requestStream, responseStream }] of Object.entries(kind.service)) {
      const method = plain[name].bind(plain);
      if (requestStream) {
        calls[name] = async (options?: CallOptions) =>
          method(withToken(await this.tokens.get()), deadline(options));
      } else if (responseStream) {
        calls[name] = (request: unknown, options?: CallOptions) =>
          this.readAll(method, request, options);
      } else {
        calls[name] = (request: unknown, options?: CallOptions) =>
          this.unary(method, path, request, options);
      }
    }
    return calls;
  }

  /**
   * Follows the feed of a service for ever, whatever happens to streams. Each response is told once the
   * one before is dealt with: keep its `cursor` together with what you made of its events. Heartbeats
   * have a cursor and no events.
   *
   * Fails with CursorExpired where the cursor is too old: begin again with `fromSnapshot`.
   */
  async *watch(service: Service, options: WatchOptions = {}): AsyncGenerator<WatchResponse> {
    const stub = this.stub(EventServiceClient, service);
    const { types = [], firstBackoff = 100, mostBackoff = 10_000 } = options;
    let cursor = options.cursor ?? "";
    for (let failures = 0; ; ) {
      let error: RapportError | undefined;
      try {
        const fromSnapshot = (options.fromSnapshot ?? false) && cursor === "";
        for await (const response of stub.watch(WatchRequest.fromPartial({ cursor, types, fromSnapshot }))) {
          failures = 0;
          yield response;
          cursor = response.cursor;
        }
      } catch (caught) {
        if (!(caught instanceof RapportError) || caught instanceof CursorExpired) throw caught;
        error = caught;
        if (caught instanceof Unauthenticated && failures === 0) {
          await this.tokens.refused(await this.tokens.get());
        } else if (!RESUMABLE.includes(caught.code) || this.closed) {
          throw caught;
        }
      }
      const longest = Math.min(mostBackoff, firstBackoff * 2 ** failures++);
      await sleep(Math.max((longest / 2) * (1 + Math.random()), error?.retryAfter ?? 0));
    }
  }

  private async unary(
    method: any,
    path: string,
    request: unknown,
    options?: CallOptions,
  ): Promise<unknown> {
    const repeatable = withRequestId(request);
    const until = deadline(options);
    const inTime = (wait: number) =>
      until.deadline === undefined || Date.now() + wait < until.deadline;
    let refreshed = false;
    let crossed = 0;
    for (let waits = 0; ; ) {
      const token = await this.tokens.get();
      try {
        return await new Promise((resolve, reject) =>
          method(repeatable, withToken(token), until, (error: unknown, response: unknown) =>
            error ? reject(toError(error)) : resolve(response),
          ),
        );
      } catch (error) {
        if (error instanceof Unauthenticated && !refreshed && (await this.tokens.refused(token))) {
          refreshed = true;
        } else if (
          error instanceof ResourceExhausted &&
          error.retryAfter !== undefined &&
          error.retryAfter <= MOST_WAIT &&
          inTime(error.retryAfter) &&
          waits < 2
        ) {
          waits++;
          await sleep(error.retryAfter);
        } else if (
          // Nobody here gave it up: so a gRPC server in C++ answers what crosses its GOAWAY when it
          // drains (https://github.com/grpc/grpc/issues/41785).
          error instanceof Cancelled &&
          this.harmless.has(path) &&
          !this.closed &&
          inTime(CROSSED_WAIT) &&
          crossed < 2
        ) {
          crossed++;
          await sleep(CROSSED_WAIT);
        } else {
          throw error;
        }
      }
    }
  }

  private async *readAll(method: any, request: unknown, options?: CallOptions): AsyncGenerator<any> {
    const call: grpc.ClientReadableStream<unknown> = method(
      withRequestId(request),
      withToken(await this.tokens.get()),
      deadline(options),
    );
    try {
      for await (const response of call) yield response;
    } catch (error) {
      throw toError(error);
    } finally {
      call.on("error", () => {}); // what cancelling says
      call.cancel();
    }
  }
}

function withToken(token: string): grpc.Metadata {
  const metadata = new grpc.Metadata();
  metadata.set("authorization", `Bearer ${token}`);
  return metadata;
}

function deadline(options?: CallOptions): { deadline?: number } {
  return options?.timeout === undefined ? {} : { deadline: Date.now() + options.timeout };
}

/** The request with a requestId, where it may have one and has none; the caller's stays as it is. */
function withRequestId(request: unknown): unknown {
  const fields = request as { requestId?: string };
  return "requestId" in fields && !fields.requestId ? { ...fields, requestId: randomUUID() } : request;
}

/** Keeps the token of a source until it is about to end. */
class Tokens {
  private token = "";
  private until = 0;
  private pending?: Promise<string>;

  constructor(private readonly source: TokenSource) {}

  async get(): Promise<string> {
    if (this.token && Date.now() < this.until) return this.token;
    this.pending ??= Promise.resolve(this.source()).finally(() => (this.pending = undefined));
    this.token = await this.pending;
    // One without an end, or with less than a margin of life, is asked for at each call.
    this.until = expiry(this.token) - MARGIN;
    return this.token;
  }

  /** Drops a token that the server refused. Whether there is another to try. */
  async refused(token: string): Promise<boolean> {
    if (token === this.token) this.token = "";
    return (await this.get()) !== token;
  }
}

/** `exp` of a JWT in milliseconds since 1970; 0 where it says none. Verifies nothing: the server does. */
function expiry(token: string): number {
  try {
    return Number(JSON.parse(Buffer.from(token.split(".")[1], "base64url").toString()).exp) * 1000 || 0;
  } catch {
    return 0;
  }
}
