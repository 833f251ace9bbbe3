import { readFileSync } from "node:fs";
import type { ServiceDefinition } from "@grpc/grpc-js";
import { fromJSON } from "@grpc/proto-loader";
import { describe, expect, it } from "vitest";
import { describedApis, neededOf } from "./protos.ts";

function fileOf(name: string): { path: string; text: string } {
  const path = new URL(`../../node_modules/${name}`, import.meta.url).pathname;
  return { path, text: readFileSync(path, "utf8") };
}

function serviceIn(text: string, service: string): ServiceDefinition {
  return fromJSON(JSON.parse(text) as never, { longs: String, enums: String })[service] as ServiceDefinition;
}

const point = { interval: { endTime: { seconds: 1, nanos: 5 } }, value: { doubleValue: 2.5 } };
const metric = { type: "custom.googleapis.com/pathkeeper/reports", labels: { group: "outside-1m" } };
const resource = { type: "generic_node", labels: { node_id: "shop" } };
const timestamp = { timestampValue: { seconds: 1, nanos: 5 } };
const nested = { mapValue: { fields: { list: { arrayValue: { values: [timestamp, { nullValue: "NULL_VALUE" }] } } } } };
const update = { name: "projects/p/databases/d/documents/state/a", fields: { nested, text: { stringValue: "ü" } } };
const fieldFilter = { field: { fieldPath: "status" }, op: "EQUAL", value: { stringValue: "open" } };

describe("the API description in a bundle", () => {
  it.each([
    [
      "@google-cloud/pubsub-api",
      "google.pubsub.v1.Publisher",
      "Publish",
      { topic: "t", messages: [{ data: Buffer.of(1) }] },
    ],
    [
      "@google-cloud/monitoring",
      "google.monitoring.v3.MetricService",
      "CreateTimeSeries",
      { name: "projects/p", timeSeries: [{ metric, resource, points: [point] }] },
    ],
    [
      "@google-cloud/firestore-api",
      "google.firestore.v1.Firestore",
      "Commit",
      { database: "d", writes: [{ update, updateMask: { fieldPaths: ["text"] }, currentDocument: { exists: true } }] },
    ],
    [
      "@google-cloud/firestore-api",
      "google.firestore.v1.Firestore",
      "RunQuery",
      {
        parent: "p",
        structuredQuery: {
          from: [{ collectionId: "incidents" }],
          where: { compositeFilter: { op: "AND", filters: [{ fieldFilter }] } },
          orderBy: [{ field: { fieldPath: "opened_at" }, direction: "DESCENDING" }],
          limit: { value: 5 },
        },
      },
    ],
  ])("of %s encodes %s.%s as the full description does", (client, service, method, request) => {
    const whole = fileOf(`${client}/build/protos/protos.json`);
    const needed = neededOf(whole.path, whole.text);
    expect(needed.length).toBeLessThan(whole.text.length / 2);
    const [small, full] = [serviceIn(needed, service), serviceIn(whole.text, service)];
    const sent = small[method]?.requestSerialize(request);
    expect(sent).toEqual(full[method]?.requestSerialize(request));
    expect(sent?.length).toBeGreaterThan(5);
    expect(small[method]?.requestDeserialize(sent as Buffer)).toEqual(full[method]?.requestDeserialize(sent as Buffer));
  });

  it("contains exactly the methods that a client uses", () => {
    const gax = fileOf("google-gax/build/protos/iam_service.json");
    expect(describedApis.test(gax.path)).toBe(true);
    expect(Object.keys(serviceIn(neededOf(gax.path, gax.text), "google.iam.v1.IAMPolicy"))).toEqual([]);
    expect(describedApis.test(fileOf("google-gax/build/protos/operations.json").path)).toBe(false);
  });

  it("fails the build when a call is missing", () => {
    const { path, text } = fileOf("@google-cloud/monitoring/build/protos/protos.json");
    expect(() => neededOf(path, text.replaceAll("CreateTimeSeries", "MakeTimeSeries"))).toThrow(
      /google\.monitoring\.v3\.MetricService has no call CreateTimeSeries/,
    );
  });
});
