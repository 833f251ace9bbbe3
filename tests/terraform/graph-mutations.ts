/** Generates mistakes from a planned graph: drops, exchanges, inverts, scales or redirects any part of it. */
import { type PlannedMonitor, type Resource, Unknown } from "../../cli/rehearse/plan.ts";

/** A plan with one mistake. */
export interface GraphMutation {
  readonly what: string;
  readonly monitor: PlannedMonitor;
}

/** Texts for people, and labels that Google neither reads nor checks: changing them is not a mistake. */
const texts =
  /(^|\.)(description|display_name|title|cleanup_policies\.\d+\.id)$|^(condition\.0\.(title|description)|labels|user_labels|documentation\.0\.(content|subject)|documentation\.0\.links\.\d+\.(display_name|url))$/;

/** Returns every mutation of a plan, once for each resource block and path. */
export function graphMutations(monitor: PlannedMonitor): GraphMutation[] {
  const blocks = Map.groupBy(
    monitor.resources.filter(({ type }) => type.startsWith("google_")),
    ({ type, name }) => `${type}.${name}`,
  );
  return [...blocks.values()].flatMap((own) => own.slice(0, 1).flatMap((resource) => mutationsOf(resource, monitor)));
}

function mutationsOf(resource: Resource, monitor: PlannedMonitor): GraphMutation[] {
  const { address, leaves, type } = resource;
  const instead = (what: string, changed: Resource | undefined): GraphMutation => ({
    what: `${address}: ${what}`,
    monitor: {
      ...monitor,
      resources: monitor.resources.flatMap((one) =>
        one !== resource ? [one] : changed === undefined ? [] : [changed],
      ),
    },
  });
  const withLeaf = (path: string, value: unknown): Resource => {
    const next = new Map(leaves);
    if (value === undefined) next.delete(path);
    else next.set(path, value);
    return {
      ...resource,
      leaves: next,
      known: { ...resource.known, ...(path.includes(".") ? {} : { [path]: value }) },
    };
  };
  const siblings = monitor.resources.filter((one) => one.type === type && one !== resource);
  return [
    instead("dropped", undefined),
    ...[...leaves].flatMap(([path, value]): GraphMutation[] => {
      if (texts.test(path) || value instanceof Unknown) return [];
      const other = siblings
        .map((one) => one.leaves.get(path))
        .find((one) => one !== undefined && JSON.stringify(one) !== JSON.stringify(value));
      return [
        ...changesOf(value).map(([how, changed]) => instead(`${path} ${how}`, withLeaf(path, changed))),
        ...(other === undefined ? [] : [instead(`${path} exchanged with that of another`, withLeaf(path, other))]),
      ];
    }),
  ];
}

function changesOf(value: unknown): [string, unknown][] {
  if (typeof value === "boolean") return [["inverted", !value]];
  if (typeof value === "number") return [["times 100", value === 0 ? 100 : value * 100]];
  if (typeof value === "string" && /^\d+s$/.test(value))
    return [["times 100", `${Math.max(1, Number.parseInt(value, 10)) * 100}s`]];
  if (typeof value === "string" && /^\d+(Mi|Gi)?$/.test(value))
    return [["times 100", value.replace(/^\d+/, (digits) => String(Number(digits) * 100))]];
  if (typeof value === "string" && value.startsWith("{")) return boardChanges(value);
  if (typeof value === "string")
    return [
      [
        "pointed elsewhere",
        value.startsWith("https://") ? value.replace("https://", "https://other-") : `${value}-other`,
      ],
      ...(/_ENABLED$/.test(value)
        ? ([["inverted", value.replace("_ENABLED", "_DISABLED")]] as [string, unknown][])
        : []),
      ...(value.includes('" AND ')
        ? ([["without its last part", value.slice(0, value.lastIndexOf(" AND "))]] as [string, unknown][])
        : []),
    ];
  if (Array.isArray(value))
    return [
      ["emptied", undefined],
      ["with one more", [...value, "other"]],
    ];
  if (typeof value === "object" && value !== null) {
    const [first] = Object.keys(value);
    return first === undefined
      ? [["removed", undefined]]
      : [
          ["without an entry", Object.fromEntries(Object.entries(value).slice(1))],
          ["with another value", { ...value, [first]: "other" }],
        ];
  }
  return [];
}

function boardChanges(json: string): [string, unknown][] {
  return [
    ["of another metric", json.replace(/pathkeeper\/\w+/, "pathkeeper/no_such_metric")],
    ["of another resource", json.replace("generic_node", "global")],
    ["with another aligner", json.replace("ALIGN_DELTA", "ALIGN_MEAN").replace("ALIGN_MEAN", "ALIGN_COUNT")],
  ];
}
