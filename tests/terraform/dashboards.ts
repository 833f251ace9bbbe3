/** Checks dashboards against Google's definition of them, because Terraform treats them as text. */
import { createRequire } from "node:module";
import protobuf from "protobufjs";

const require = createRequire(import.meta.url);
const file = require.resolve("@google-cloud/monitoring-dashboards/build/protos/protos.json");
const root = protobuf.Root.fromJSON(require(file) as protobuf.INamespace);
root.resolveAll();
const dashboard = root.lookupType("google.monitoring.dashboard.v1.Dashboard");

/** Returns the errors of a dashboard, in sentences. */
export function dashboardProblems(value: unknown): string[] {
  return problemsIn(value, dashboard, "dashboard");
}

/** Values that JSON serializes in another form. */
const wellKnown = /^\.google\.protobuf\.(Duration|Timestamp|\w+Value|Struct|Empty)$/;

function problemsIn(value: unknown, type: protobuf.Type, path: string): string[] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [`${path} must be an object`];
  const entries = Object.entries(value);
  const unions = type.oneofsArray.flatMap(({ name, oneof }) => {
    const set = oneof.filter((member) => entries.some(([key]) => key === member));
    return set.length > 1 ? [`${path} has ${set.join(" and ")}, of which ${name} takes one`] : [];
  });
  return [...unions, ...entries.flatMap(([key, inner]) => fieldProblems(inner, type.fields[key], `${path}.${key}`))];
}

function fieldProblems(value: unknown, field: protobuf.Field | undefined, path: string): string[] {
  if (field === undefined) return [`${path} is not known to Cloud Monitoring`];
  if (field.repeated) {
    if (!Array.isArray(value)) return [`${path} must be a list`];
    return value.flatMap((each, index) => valueProblems(each, field, `${path}[${index}]`));
  }
  return valueProblems(value, field, path);
}

function valueProblems(value: unknown, { type, resolvedType }: protobuf.Field, path: string): string[] {
  if (resolvedType instanceof protobuf.Enum) {
    return Object.hasOwn(resolvedType.values, String(value))
      ? []
      : [`${path} is ${String(value)}, which ${resolvedType.name} does not have`];
  }
  if (resolvedType instanceof protobuf.Type) {
    return wellKnown.test(resolvedType.fullName) ? [] : problemsIn(value, resolvedType, path);
  }
  const wanted = type === "string" ? "string" : type === "bool" ? "boolean" : "number";
  return typeof value === wanted ? [] : [`${path} must be a ${wanted}`];
}
