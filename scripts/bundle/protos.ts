/** Descriptions of Google's APIs, of which each client carries all: a bundle has the calls that are made, and what they speak of. */
import protobuf from "protobufjs";
import { ownEntry } from "../../shared/runtime/entries.ts";

/** A description as the clients carry it, in the JSON of protobufjs. */
type Json = protobuf.INamespace;

/** The calls that are made, by the end of the path of the description and the full name of the service. */
const calls: readonly { readonly file: RegExp; readonly service: string; readonly methods: readonly string[] }[] = [
  {
    file: /firestore-api\/build\/protos\/protos\.json$/,
    service: "google.firestore.v1.Firestore",
    methods: ["BatchGetDocuments", "BeginTransaction", "Commit", "Rollback", "RunQuery"],
  },
  { file: /pubsub-api\/build\/protos\/protos\.json$/, service: "google.pubsub.v1.Publisher", methods: ["Publish"] },
  {
    file: /monitoring\/build\/protos\/protos\.json$/,
    service: "google.monitoring.v3.MetricService",
    methods: ["CreateTimeSeries"],
  },
  // Every client constructs one for IAM, which the functions never call.
  { file: /google-gax\/build\/protos\/iam_service\.json$/, service: "google.iam.v1.IAMPolicy", methods: [] },
];

/** Which descriptions are made smaller. */
export const describedApis: RegExp = new RegExp(calls.map(({ file }) => file.source).join("|"));

/** Returns the required part of a description, as JSON. @param path of its file @throws Error if a call is not in it */
export function neededOf(path: string, text: string): string {
  const { service: name, methods } = calls.find(({ file }) => file.test(path)) ?? { service: "", methods: [] };
  const root = protobuf.Root.fromJSON(JSON.parse(text) as Json).resolveAll();
  const service = root.lookupService(name);
  const needed = new Set<string>([service.fullName]);
  const include = (type: protobuf.ReflectionObject | null): void => {
    if (type === null || needed.has(type.fullName)) return;
    needed.add(type.fullName);
    // Enclosing messages are kept too, with all types that they refer to.
    if (type.parent instanceof protobuf.Type) include(type.parent);
    if (!(type instanceof protobuf.Type)) return;
    for (const field of type.fieldsArray) include(field.resolvedType);
  };
  const kept = methods.map((method) => {
    const known = ownEntry(service.methods, method);
    if (known === undefined) throw new Error(`${path}: ${name} has no call ${method}: see scripts/bundle/protos.ts`);
    include(known.resolvedRequestType);
    include(known.resolvedResponseType);
    return [method, { ...known.toJSON(), options: undefined, parsedOptions: undefined }] as const;
  });
  const whole = JSON.parse(text) as Json;
  const prune = (part: Record<string, unknown>, at: string): Record<string, unknown> | undefined => {
    const { nested = {}, ...own } = part as { nested?: Record<string, Record<string, unknown>> };
    const inside = Object.entries(nested).flatMap(([key, each]) => {
      const left = prune(each, `${at}.${key}`);
      return left === undefined ? [] : [[key, left] as const];
    });
    if (inside.length === 0 && !needed.has(at)) return undefined;
    const mine = at === service.fullName ? { ...own, methods: Object.fromEntries(kept) } : own;
    return inside.length === 0 ? mine : { ...mine, nested: Object.fromEntries(inside) };
  };
  return JSON.stringify(prune(whole as Record<string, unknown>, ""));
}
