// What the Node client does for its callers, asked of the running suite and of the faults before it.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, test } from "node:test";

import {
  CreateClinicRequest,
  DirectoryServiceClient,
  GetClinicRequest,
  ListClinicsRequest,
  UpdateClinicRequest,
} from "../gen/rapport/scheduling/v1/directory_service.js";
import { EventServiceClient, RetryParkedEventsRequest } from "../gen/rapport/common/v1/event_service.js";
import * as rapport from "../src/rapport.js";

const organization = process.env.RAPPORT_ORGANIZATION!;
const good = readFileSync(process.env.RAPPORT_TOKEN_FILE!, "utf8").trim();
const forged = good.slice(0, -4) + "AAAA";
const clients: rapport.Client[] = [];
after(() => clients.forEach((client) => client.close()));

/** A client whose scheduling service is behind what the variable names, and how often it asked for a token. */
function open(variable: string, ...tokens: string[]) {
  const asked = { times: 0 };
  if (tokens.length === 0) tokens = [good];
  const client = new rapport.Client({
    scheduling: process.env[variable],
    token: () => tokens[Math.min(asked.times++, tokens.length - 1)],
  });
  clients.push(client);
  return { client, asked, directory: client.stub(DirectoryServiceClient) };
}

const newClinic = (displayName = "Harbour") =>
  CreateClinicRequest.fromPartial({
    parent: organization,
    clinic: { displayName, timeZone: "Europe/London", jurisdiction: "GB-ENG" },
  });
const everyClinic = ListClinicsRequest.fromPartial({ parent: organization, pageSize: 500 });

test("a bad request names each field", async () => {
  const request = newClinic("");
  request.clinic!.timeZone = "Mars/Olympus";
  await assert.rejects(open("RAPPORT_SCHEDULING").directory.createClinic(request), (error) => {
    assert(error instanceof rapport.InvalidArgument);
    assert.deepEqual(
      error.fieldViolations.map(({ field }) => field),
      ["clinic.display_name", "clinic.time_zone"],
    );
    assert.equal(error.reason, "INVALID_FIELD");
    return true;
  });
});

test("each code has its class and reason", async () => {
  const { directory } = open("RAPPORT_SCHEDULING");
  await assert.rejects(
    directory.getClinic(GetClinicRequest.fromPartial({ name: `${organization}/clinics/absent` })),
    (error) => error instanceof rapport.NotFound && error.reason === "RESOURCE_NOT_FOUND",
  );
  const clinic = await directory.createClinic(newClinic());
  const changed = UpdateClinicRequest.fromPartial({ clinic: { ...clinic, displayName: "Hill" } });
  await directory.updateClinic(changed);
  changed.clinic!.displayName = "Quay";
  await assert.rejects(
    directory.updateClinic(changed),
    (error) => error instanceof rapport.Aborted && error.reason === "STALE_ETAG",
  );
});

test("a token that lasts is asked for once", async () => {
  const { directory, asked } = open("RAPPORT_SCHEDULING");
  for (let i = 0; i < 3; i++) await directory.listClinics(everyClinic);
  assert.equal(asked.times, 1);
});

test("a token that is refused is replaced within the call", async () => {
  const { directory, asked } = open("RAPPORT_SCHEDULING", forged, good);
  await directory.listClinics(everyClinic);
  assert.equal(asked.times, 2);
});

test("a wrong token fails once another was asked for", async () => {
  const { directory, asked } = open("RAPPORT_SCHEDULING", forged);
  await assert.rejects(
    directory.listClinics(everyClinic),
    (error) => error instanceof rapport.Unauthenticated && error.reason === "UNAUTHENTICATED",
  );
  assert.equal(asked.times, 2);
});

test("a call ends by its deadline", async () => {
  await assert.rejects(
    open("RAPPORT_SLOW").directory.listClinics(everyClinic, { timeout: 200 }),
    rapport.DeadlineExceeded,
  );
});

test("a full server that says soon is asked again", async () => {
  const { directory } = open("RAPPORT_BUSY");
  for (let i = 0; i < 3; i++) await directory.listClinics(everyClinic);
});

test("a full server that says later is the caller's to wait for", async () => {
  await assert.rejects(
    open("RAPPORT_FULL").directory.listClinics(everyClinic),
    (error) => error instanceof rapport.ResourceExhausted && error.retryAfter === 2500,
  );
});

test("a change whose answer was lost is done once", async () => {
  const { directory } = open("RAPPORT_SCHEDULING");
  const before = (await directory.listClinics(everyClinic)).clinics;
  const made = await open("RAPPORT_LOST").directory.createClinic(newClinic());
  const names = (await directory.listClinics(everyClinic)).clinics.map(({ name }) => name);
  assert.equal(names.length, before.length + 1);
  assert(names.includes(made.name));
});

test("a feed goes on over streams that are cut", async () => {
  const { directory } = open("RAPPORT_SCHEDULING");
  const made = [(await directory.createClinic(newClinic())).name];
  const told: string[] = [];
  for await (const response of open("RAPPORT_CUT").client.watch("scheduling", {
    types: ["rapport.scheduling.v1.ClinicEvent"],
    firstBackoff: 1,
  })) {
    for (const { resource } of response.events) {
      if (resource === made[0] || told.length > 0) told.push(resource);
    }
    if (told.length >= 4) break;
    if (told.length === made.length) made.push((await directory.createClinic(newClinic())).name);
  }
  assert.deepEqual(told, made);
});

test("a call that crossed the GOAWAY of a server that drains is made again", async () => {
  const { directory } = open("RAPPORT_SCHEDULING");
  const before = (await directory.listClinics(everyClinic)).clinics;
  const crossed = open("RAPPORT_CROSSED");
  const made = await crossed.directory.createClinic(newClinic());
  const names = (await crossed.directory.listClinics(everyClinic)).clinics.map(({ name }) => name);
  assert.equal(names.length, before.length + 1);
  for await (const { events } of crossed.client.watch("scheduling", {
    types: ["rapport.scheduling.v1.ClinicEvent"],
    firstBackoff: 1,
  })) {
    if (events.some(({ resource }) => resource === made.name)) return;
  }
});

test("a call that may do harm twice is not made again", async () => {
  await assert.rejects(
    open("RAPPORT_CROSSED")
      .client.stub(EventServiceClient, "scheduling")
      .retryParkedEvents(RetryParkedEventsRequest.fromPartial({})),
    rapport.Cancelled,
  );
});

test("a cursor that is none is not tried for ever", async () => {
  await assert.rejects(
    open("RAPPORT_SCHEDULING").client.watch("scheduling", { cursor: "nonsense" }).next(),
    (error) =>
      error instanceof rapport.InvalidArgument && error.fieldViolations[0].field === "cursor",
  );
});
