/** A plan of Terraform as a graph: the resources of each monitor in it, with their values, references and actions. */

import type { Deployment } from "../../shared/deployment/deployment.ts";
import type { Inputs } from "../../shared/deployment/inputs.ts";
import { ownEntry } from "../../shared/runtime/entries.ts";

/** A value that is known only after the apply, with the references of its expression. */
export class Unknown {
  readonly references: readonly string[];
  /** Number of entries, if it is a list of known length. */
  readonly size: number | undefined;
  constructor(references: readonly string[], size?: number) {
    this.references = references;
    this.size = size;
  }
}

/** A planned resource. */
export interface Resource {
  /** `module.pathkeeper.google_pubsub_topic.main["ticks"]`. */
  readonly address: string;
  readonly type: string;
  readonly name: string;
  /** Its key of `for_each` or `count`. */
  readonly index: string | number | undefined;
  /** Every value that is set, by its path: `push_config.0.push_endpoint`. Blocks without values are `{}`; lists of texts are not split. */
  readonly leaves: ReadonlyMap<string, unknown>;
  /** Everything that is known of the resource, including values from the provider. */
  readonly known: Readonly<Record<string, unknown>>;
  /** Planned actions: `create`, `update`, `delete`, `no-op`. A replacement is `delete` and `create`. */
  readonly actions: readonly string[];
  /** Addresses that it waits for by `depends_on`. */
  readonly dependsOn: readonly string[];
  /** References of its expressions, all together. */
  readonly references: readonly string[];
  /** Commands that its creation runs on the machine of the apply. */
  readonly provisioned: readonly string[];
}

/** One monitor in a plan: an instance of the module. */
export interface PlannedMonitor {
  /** Address of the module, empty for the root. */
  readonly module: string;
  readonly resources: readonly Resource[];
  /** Data sources that wait for resources, and providers that the module configures itself. */
  readonly deferred: readonly string[];
  readonly providers: readonly string[];
  /** The known outputs, if the module is the root. */
  readonly outputs: Readonly<Record<string, unknown>>;
  /** Version constraint of the provider; `undefined` if the plan does not contain it. */
  readonly providerVersion: string | undefined;
  /** The project whose number the module reads; `undefined` if unknown. */
  readonly projectRead: string | undefined;
  /** Objects with conditions that Terraform checks; `undefined` if the plan does not contain them. */
  readonly checked: readonly string[] | undefined;
  /** Messages of the failed `check` blocks. */
  readonly failedChecks: readonly string[];
  readonly deployment: Deployment;
  readonly inputs: Inputs;
}

type Json = Readonly<Record<string, unknown>>;

interface Change {
  readonly address: string;
  readonly module_address?: string;
  readonly mode: string;
  readonly type: string;
  readonly name: string;
  readonly index?: string | number;
  readonly change: { readonly actions: readonly string[]; readonly after: Json | null; readonly after_unknown?: Json };
}

interface StateModule {
  readonly address?: string;
  readonly resources?: readonly {
    readonly mode: string;
    readonly type: string;
    readonly values?: { readonly project_id?: string };
  }[];
  readonly child_modules?: readonly StateModule[];
}

interface FailedCheck {
  readonly address: {
    readonly kind: string;
    readonly module?: string;
    readonly type?: string;
    readonly name?: string;
  };
  readonly status: string;
  readonly instances?: readonly { readonly problems?: readonly { readonly message: string }[] }[];
}

interface Configured {
  readonly mode: string;
  readonly type: string;
  readonly name: string;
  readonly expressions?: Json;
  readonly depends_on?: readonly string[];
  readonly provisioners?: readonly {
    readonly expressions?: { readonly command?: { readonly constant_value?: string } };
  }[];
}

interface ConfiguredModule {
  readonly resources?: readonly Configured[];
  readonly module_calls?: Readonly<Record<string, { readonly module: ConfiguredModule }>>;
}

/** The text is not a plan, or not a plan of this module. The message says what to do. */
export class NoPlan extends Error {
  override readonly name = "NoPlan";
}

/**
 * Reads what `terraform show -json PLAN` writes.
 * @throws NoPlan
 */
export function readPlan(text: string): PlannedMonitor[] {
  const how = "write it with terraform plan -out FILE and terraform show -json FILE";
  let plan: {
    readonly checks?: readonly FailedCheck[];
    readonly output_changes?: Readonly<Record<string, { readonly after?: unknown; readonly after_unknown?: unknown }>>;
    readonly prior_state?: { readonly values?: { readonly root_module?: StateModule } };
    readonly resource_changes?: readonly Change[];
    readonly configuration?: {
      readonly root_module?: ConfiguredModule;
      readonly provider_config?: Readonly<
        Record<
          string,
          {
            readonly name: string;
            readonly version_constraint?: string;
            readonly module_address?: string;
            readonly expressions?: Json;
          }
        >
      >;
    };
  };
  try {
    plan = JSON.parse(text) as typeof plan;
  } catch (error) {
    throw new NoPlan(`the plan is not JSON: ${how}`, { cause: error });
  }
  if (!Array.isArray(plan?.resource_changes))
    throw new NoPlan(`the JSON has no resource_changes, so it is not a plan: ${how}`);
  const root = plan.configuration?.root_module;
  const changes = (plan.resource_changes as readonly Change[]).filter(({ mode }) => mode === "managed");
  const byModule = Map.groupBy(changes, ({ module_address = "" }) => module_address);
  const monitors = [...byModule].flatMap(([module, own]): PlannedMonitor[] => {
    const told = own.find(({ type, name }) => type === "terraform_data" && name === "rehearsal")?.change.after?.[
      "input"
    ];
    if (told === undefined || told === null) return [];
    const { deployment, inputs } = told as { deployment: Deployment; inputs: Inputs };
    const configured = configurationOf(root, module)?.resources ?? [];
    const called = module.replaceAll(/\[(?:"(?:[^"\\]|\\.)*"|\d+)\]/g, "");
    return [
      {
        module,
        deployment,
        inputs,
        deferred: configured.flatMap(({ mode, type, name, depends_on = [] }) =>
          mode === "data" && depends_on.length > 0 ? [`data.${type}.${name}`] : [],
        ),
        outputs:
          module === ""
            ? Object.fromEntries(
                Object.entries(plan.output_changes ?? {}).flatMap(([name, { after, after_unknown }]) =>
                  containsTrue(after_unknown) ? [] : [[name, after]],
                ),
              )
            : {},
        providerVersion: Object.values(plan.configuration?.provider_config ?? {}).find(
          (one) => one.name === "google" && (one.module_address ?? "") === called,
        )?.version_constraint,
        projectRead: projectIn(plan.prior_state?.values?.root_module, module),
        checked: plan.checks
          ?.filter(({ address }) => address.kind === "resource" && (address.module ?? "") === called)
          .map(({ address }) => `${address.type}.${address.name}`),
        failedChecks: (plan.checks ?? [])
          .filter(
            ({ address, status }) => address.kind === "check" && status === "fail" && (address.module ?? "") === called,
          )
          .flatMap(({ instances = [] }) =>
            instances.flatMap(({ problems = [] }) => problems.map(({ message }) => message)),
          ),
        providers: Object.values(plan.configuration?.provider_config ?? {}).flatMap(
          ({ name, module_address, expressions }) =>
            module !== "" && module_address === called && expressions !== undefined ? [name] : [],
        ),
        resources: own.map((change) => resourceOf(change, configured, root !== undefined)),
      },
    ];
  });
  if (monitors.length === 0)
    throw new NoPlan(
      "the plan has no terraform_data.rehearsal with a known input: plan the module terraform/ of this version",
    );
  return monitors;
}

/** The project that the data source of a module has read. */
function projectIn(state: StateModule | undefined, module: string): string | undefined {
  if (state === undefined) return undefined;
  if ((state.address ?? "") !== module)
    return (state.child_modules ?? []).map((child) => projectIn(child, module)).find((found) => found !== undefined);
  return state.resources?.find(({ mode, type }) => mode === "data" && type === "google_project")?.values?.project_id;
}

/** Configuration of the module at an address such as `module.pathkeeper["staging"]`. */
function configurationOf(root: ConfiguredModule | undefined, module: string): ConfiguredModule | undefined {
  const names = [...module.replaceAll(/\[(?:"(?:[^"\\]|\\.)*"|\d+)\]/g, "").matchAll(/module\.([\w-]+)/g)].map(
    ([, name = ""]) => name,
  );
  return names.reduce<ConfiguredModule | undefined>((at, name) => ownEntry(at?.module_calls ?? {}, name)?.module, root);
}

function resourceOf(change: Change, configured: readonly Configured[], isConfigured: boolean): Resource {
  const { address, type, name, index } = change;
  const own = configured.find((one) => one.mode === "managed" && one.type === type && one.name === name);
  const expressions = own?.expressions ?? {};
  const leaves = new Map<string, unknown>();
  const isNew = change.change.actions.includes("create");
  collect(
    change.change.after ?? {},
    change.change.after_unknown ?? {},
    isConfigured ? expressions : undefined,
    isNew,
    "",
    leaves,
  );
  return {
    address,
    type,
    name,
    index,
    leaves,
    known: change.change.after ?? {},
    actions: change.change.actions,
    dependsOn: own?.depends_on ?? [],
    references: referencesIn(expressions),
    provisioned: (own?.provisioners ?? []).flatMap(
      ({ expressions: { command } = {} }) => command?.constant_value ?? [],
    ),
  };
}

/**
 * Collects the values that the configuration sets. What the provider adds by itself, defaults and what it computes, has no expression. Blocks from
 * `dynamic` have none either: they are taken from resources that are new, whose other blocks cannot be known yet.
 * @param written expressions at this place; `undefined` where they are not known, and every value counts
 */
function collect(
  after: unknown,
  unknown: unknown,
  written: unknown,
  isNew: boolean,
  path: string,
  leaves: Map<string, unknown>,
): void {
  if (isExpression(written)) {
    if (unknown === true || containsTrue(unknown))
      leaves.set(path, new Unknown(referencesIn(written), sizeOf(unknown)));
    else if (after !== null && after !== undefined) leaves.set(path, after);
    return;
  }
  if (unknown === true || (Array.isArray(unknown) && unknown.includes(true))) {
    leaves.set(path, new Unknown([], sizeOf(unknown)));
    return;
  }
  if (Array.isArray(after)) {
    if (after.every((each) => typeof each !== "object" || each === null)) {
      if (after.length > 0) leaves.set(path, after);
      return;
    }
    for (const [at, each] of after.entries()) {
      const hidden = Array.isArray(unknown) ? unknown[at] : undefined;
      // Terraform sorts the blocks of a set, so it is unknown which expression belongs to which block. The expressions of all blocks count.
      const expressions = Array.isArray(written) ? (Object.assign({}, ...written) as Json) : undefined;
      collect(each, hidden, expressions, isNew, `${path}.${at}`, leaves);
    }
    return;
  }
  if (typeof after !== "object" || after === null) {
    if (after !== null && after !== undefined) leaves.set(path, after);
    return;
  }
  const keys = new Set([...Object.keys(after), ...Object.keys((unknown as Json | undefined) ?? {})]);
  let found = false;
  for (const key of keys) {
    const value = ownEntry(after as Json, key);
    const hidden = ownEntry((unknown ?? {}) as Json, key);
    const expression = ownEntry((written ?? {}) as Json, key);
    const isBlock = Array.isArray(value) && value.length > 0 && typeof value[0] === "object";
    if (written !== undefined && expression === undefined && !(isNew && isBlock)) continue;
    const size = leaves.size;
    collect(
      value,
      hidden,
      written === undefined ? undefined : expression,
      isNew,
      path === "" ? key : `${path}.${key}`,
      leaves,
    );
    found ||= leaves.size > size;
  }
  if (!found && path !== "") leaves.set(path, {});
}

function sizeOf(unknown: unknown): number | undefined {
  return Array.isArray(unknown) ? unknown.length : undefined;
}

function isExpression(written: unknown): boolean {
  return (
    typeof written === "object" &&
    written !== null &&
    !Array.isArray(written) &&
    ("constant_value" in written || "references" in written)
  );
}

function containsTrue(unknown: unknown): boolean {
  if (unknown === true) return true;
  return typeof unknown === "object" && unknown !== null && Object.values(unknown).some(containsTrue);
}

function referencesIn(written: unknown): string[] {
  if (typeof written !== "object" || written === null) return [];
  const own = (written as Json)["references"];
  if (Array.isArray(own)) return own.map(String);
  return Object.values(written).flatMap(referencesIn);
}
