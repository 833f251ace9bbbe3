/** Checks of the module that need only npm: its arguments against the provider's schema, its references, and our own rules. */
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Attribute, Block, CtyType, ProviderSchema } from "./schema.ts";
import { moduleFolder } from "./terraform.ts";

// The parser's own declarations would add the types of browsers everywhere.
const { parse } = createRequire(import.meta.url)("@cdktn/hcl2json") as {
  parse(file: string, text: string): Promise<object>;
};

/** Files of a module by name. */
export type ModuleFiles = Readonly<Record<string, string>>;

/** A map of the contents between braces, as returned by the parser. */
type Body = Readonly<Record<string, unknown>>;

/** Every declaration of a module: `google_pubsub_topic.main`, `data.google_project.main`, `var.region`, `local.labels`. */
interface Declared {
  readonly address: string;
  readonly file: string;
  readonly body: Body;
}

/** Reads the files of the module. */
export function moduleFiles(): ModuleFiles {
  const names = readdirSync(moduleFolder).filter((name) => name.endsWith(".tf"));
  return Object.fromEntries(names.map((name) => [name, readFileSync(join(moduleFolder, name), "utf8")]));
}

/** Returns the errors of a module, in sentences; empty if it has none. */
export async function problemsOf(files: ModuleFiles, schema: ProviderSchema): Promise<string[]> {
  const declared: Declared[] = [];
  for (const [file, text] of Object.entries(files)) {
    try {
      declared.push(...declarationsOf(file, (await parse(file, text)) as Body));
    } catch (error) {
      return [`${file} cannot be parsed: ${(error as Error).message}`];
    }
  }
  return [
    ...doubled(declared),
    ...declared.flatMap((one) => schemaProblems(one, schema)),
    ...referenceProblems(declared, schema),
    ...houseRules(declared),
    ...tooEarly(declared),
  ];
}

function declarationsOf(file: string, parsed: Body): Declared[] {
  const list = (section: string, address: (...labels: string[]) => string): Declared[] =>
    Object.entries((parsed[section] ?? {}) as Record<string, unknown>).flatMap(([label, inner]) =>
      Array.isArray(inner)
        ? inner.map((body) => ({ address: address(label), file, body: body as Body }))
        : Object.entries(inner as Record<string, Body[]>).flatMap(([name, bodies]) =>
            bodies.map((body) => ({ address: address(label, name), file, body })),
          ),
    );
  const locals = ((parsed["locals"] ?? []) as Body[]).flatMap((body) =>
    Object.entries(body).map(([name, value]) => ({ address: `local.${name}`, file, body: { value } })),
  );
  return [
    ...list("resource", (type, name) => `${type}.${name}`),
    ...list("data", (type, name) => `data.${type}.${name}`),
    ...list("variable", (name) => `var.${name}`),
    ...list("check", (name) => `check.${name}`),
    ...list("output", (name) => `output.${name}`),
    ...list("provider", (name) => `provider.${name}`),
    ...locals,
  ];
}

function doubled(declared: readonly Declared[]): string[] {
  const seen = new Set<string>();
  return declared.flatMap(({ address, file }) => {
    if (seen.has(address)) return [`${file}: ${address} is declared twice`];
    seen.add(address);
    return [];
  });
}

/** Meta-arguments of Terraform, allowed in any block. */
const metaArguments = new Set(["count", "depends_on", "dynamic", "for_each", "lifecycle", "provider", "provisioner"]);

function schemaProblems({ address, file, body }: Declared, schema: ProviderSchema): string[] {
  const [, kind, type = ""] = /^(data\.)?((?:google|terraform)_\w+)\./.exec(address) ?? [];
  if (type === "" || type === "terraform_data") return [];
  const block = (kind === undefined ? schema.resources : schema.data)[type];
  if (block === undefined) return [`${file}: ${address}: there is no ${type} in the provider`];
  return blockProblems(body, block, `${file}: ${address}`);
}

function blockProblems(body: Body, block: Block, where: string): string[] {
  const dynamic = Object.entries((body["dynamic"] ?? {}) as Record<string, { content: Body[] }[]>);
  const written = new Map<string, readonly Body[] | undefined>();
  const problems: string[] = [];
  for (const [name, value] of Object.entries(body)) {
    if (metaArguments.has(name)) continue;
    const attribute = block.attributes[name];
    const nested = block.blocks?.[name];
    if (attribute !== undefined) problems.push(...attributeProblems(value, attribute, `${where}.${name}`));
    else if (nested === undefined) problems.push(`${where} has no argument ${name}`);
    else if (!isBlockList(value)) problems.push(`${where}.${name} is a block: write ${name} { … } without =`);
    else written.set(name, value);
  }
  for (const [name, entries] of dynamic) {
    if (block.blocks?.[name] === undefined) problems.push(`${where} has no block ${name}`);
    else written.set(name, [...(written.get(name) ?? []), ...entries.flatMap(({ content }) => content)]);
  }
  for (const [name, bodies = []] of written) {
    const nested = block.blocks?.[name];
    if (nested === undefined) continue;
    if (nested.max !== undefined && bodies.length > nested.max)
      problems.push(`${where} has ${bodies.length} blocks ${name}, at most ${nested.max} are allowed`);
    problems.push(...bodies.flatMap((inner) => blockProblems(inner, nested.block, `${where}.${name}`)));
  }
  for (const [name, { required }] of Object.entries(block.attributes)) {
    if (required && body[name] === undefined) problems.push(`${where} lacks ${name}`);
  }
  for (const [name, { min }] of Object.entries(block.blocks ?? {})) {
    if (min !== undefined && !written.has(name)) problems.push(`${where} lacks the block ${name}`);
  }
  return problems;
}

function isBlockList(value: unknown): value is readonly Body[] {
  return (
    Array.isArray(value) && value.every((each) => typeof each === "object" && each !== null && !Array.isArray(each))
  );
}

function attributeProblems(
  value: unknown,
  { type, computed, optional, required, values }: Attribute,
  where: string,
): string[] {
  if (computed && !optional && !required) return [`${where} can only be read`];
  if (
    isBlockList(value) &&
    value.length > 0 &&
    !(Array.isArray(type) && typeof type[1] !== "string") &&
    type !== "dynamic"
  ) {
    return [`${where} is an argument: write it with =`];
  }
  if (isExpression(value) || value === null) return [];
  if (values !== undefined && typeof value === "string" && !value.includes("${") && !values.includes(value)) {
    return [`${where} is "${value}", it must be one of ${values.join(", ")}`];
  }
  return fits(value, type) ? [] : [`${where} is ${JSON.stringify(value)}, it must be ${spoken(type)}`];
}

function isExpression(value: unknown): boolean {
  return typeof value === "string" && /^\$\{.*\}$/s.test(value);
}

function fits(value: unknown, type: CtyType): boolean {
  if (isExpression(value) || type === "dynamic") return true;
  if (type === "string") return ["string", "number", "boolean"].includes(typeof value);
  if (type === "number")
    return (
      typeof value === "number" || (typeof value === "string" && value.trim() !== "" && !Number.isNaN(Number(value)))
    );
  if (type === "bool") return typeof value === "boolean" || value === "true" || value === "false";
  const [collection, element] = type;
  if (collection === "map") {
    return (
      typeof value === "object" &&
      value !== null &&
      !Array.isArray(value) &&
      Object.values(value).every((each) => fits(each, element))
    );
  }
  return Array.isArray(value) && value.every((each) => fits(each, element));
}

function spoken(type: CtyType): string {
  return typeof type === "string" ? `a ${type}` : `a ${type[0]} of ${type[1]}`;
}

/** Every name in an expression must be declared, and every referenced attribute must exist. */
function referenceProblems(declared: readonly Declared[], schema: ProviderSchema): string[] {
  const known = new Map(declared.map(({ address, body }) => [address, body]));
  const used = new Set<string>();
  const problems = declared.flatMap(({ address, file, body }) => {
    const iterators = new Set(Object.keys(blocksOf(body)));
    return expressionsIn(body).flatMap((expression) => {
      const found: string[] = [];
      for (const [, whole = "", attribute] of expression.matchAll(reference)) {
        used.add(whole);
        const target = known.get(whole);
        if (target === undefined) found.push(`${file}: ${address} names ${whole}, which is not declared`);
        else found.push(...attributeOf(whole, attribute, schema).map((problem) => `${file}: ${address} ${problem}`));
      }
      for (const [, iterator = ""] of expression.matchAll(/(?<![\w.])(\w+)\.value\b/g)) {
        if (iterator === "each" && body["for_each"] === undefined)
          found.push(`${file}: ${address} uses each without for_each`);
        else if (
          !["each", "self"].includes(iterator) &&
          !iterators.has(iterator) &&
          !expression.includes(`${iterator},`) &&
          !expression.includes(` ${iterator} in`)
        ) {
          found.push(`${file}: ${address} uses ${iterator}.value outside of a dynamic block ${iterator}`);
        }
      }
      return found;
    });
  });
  const idle = declared.filter(
    ({ address }) => /^(var|local|data)\./.test(address) && !used.has(address) && address !== "var.config_file",
  );
  return [...problems, ...idle.map(({ address, file }) => `${file}: ${address} is declared and never used`)];
}

/** `var.x`, `local.x`, `data.type.name`, `type.name`, each with the attribute that is read, past an index. */
const reference =
  /(?<![\w."$-])((?:var|local)\.\w+|data\.\w+\.\w+|(?:google|terraform)_\w+\.\w+)(?:\[(?:[^[\]]|\[[^[\]]*\])*\])?(?:\.(\w+))?/g;

function attributeOf(address: string, attribute: string | undefined, schema: ProviderSchema): string[] {
  const [, kind, type = ""] = /^(data\.)?(google_\w+)\./.exec(address) ?? [];
  const block = (kind === undefined ? schema.resources : schema.data)[type];
  if (block === undefined || attribute === undefined) return [];
  return block.attributes[attribute] === undefined && block.blocks?.[attribute] === undefined
    ? [`takes ${attribute} of ${address}, which has none`]
    : [];
}

function blocksOf(body: Body): Record<string, unknown> {
  const own = (body["dynamic"] ?? {}) as Record<string, { content: Body[] }[]>;
  const inner = Object.values(body).flatMap((value) => (isBlockList(value) ? value.map(blocksOf) : []));
  const within = Object.values(own).flatMap((entries) => entries.flatMap(({ content }) => content.map(blocksOf)));
  return Object.assign({}, own, ...inner, ...within);
}

function expressionsIn(value: unknown): string[] {
  if (typeof value === "string") return value.includes("${") ? [value] : [];
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap(expressionsIn);
}

/** In a new project, nothing can be created before the APIs are enabled: everything must depend on them, by a reference or `depends_on`. */
function tooEarly(declared: readonly Declared[]): string[] {
  const names = new Map(
    declared.map(({ address, body }) => [
      address,
      expressionsIn(body).flatMap((text) => [...text.matchAll(reference)].map(([, whole = ""]) => whole)),
    ]),
  );
  const waits = (address: string, seen: Set<string>): boolean => {
    if (address === "google_project_service.main") return true;
    if (seen.has(address)) return false;
    seen.add(address);
    return (names.get(address) ?? []).some((next) => waits(next, seen));
  };
  return declared
    .filter(({ address }) => /^google_(?!project_service\.)/.test(address) && !waits(address, new Set()))
    .map(({ file, address }) => `${file}: ${address} may be made before the APIs are enabled: add depends_on`);
}

/** Returns mistakes that Terraform accepts, but that would fail in the cloud, incur costs, or weaken security. */
function houseRules(declared: readonly Declared[]): string[] {
  const of = (type: string): Declared[] => declared.filter(({ address }) => address.startsWith(`${type}.`));
  const problems: string[] = [];
  const expect = (right: boolean, { file, address }: Declared, sentence: string): void => {
    if (!right) problems.push(`${file}: ${address} ${sentence}`);
  };
  const has = (body: Body, block: string): boolean =>
    Array.isArray(body[block]) || (body["dynamic"] as Body | undefined)?.[block] !== undefined;

  for (const one of declared) {
    const { address, body } = one;
    if (address.startsWith("var."))
      expect(body["type"] !== undefined && body["description"] !== undefined, one, "needs a type and a description");
    if (address.startsWith("output.")) expect(body["description"] !== undefined, one, "needs a description");
    expect(
      !/_iam_(binding|policy)\./.test(address),
      one,
      "replaces what others have granted: use the resource for a single member",
    );
    const role = String(body["role"] ?? "");
    expect(!/^roles\/(owner|editor|viewer)$/.test(role), one, `grants ${role}, which is far too much`);
    const open = String(body["member"] ?? "").startsWith("all");
    expect(!open, one, "lets everybody in");
  }
  for (const one of of("google_pubsub_subscription")) {
    const { body } = one;
    expect(
      has(body, "expiration_policy"),
      one,
      'would be deleted after a month without messages: set expiration_policy { ttl = "" }',
    );
    if (body["push_config"] === undefined) continue;
    const [push] = body["push_config"] as Body[];
    const [token] = (push?.["oidc_token"] ?? []) as Body[];
    expect(token !== undefined, one, "pushes without an identity: add oidc_token");
    expect(
      token === undefined || token["audience"] !== undefined,
      one,
      "leaves the audience to its endpoint, whose path the function does not go by",
    );
    expect(has(body, "retry_policy"), one, "would be delivered again at once and without end: add retry_policy");
    expect(
      has(body, "dead_letter_policy"),
      one,
      "has no dead_letter_policy: what cannot be processed would come for ever",
    );
    const grants = of("google_pubsub_subscription_iam_member").filter(
      ({ body: grant }) => grant["role"] === "roles/pubsub.subscriber",
    );
    expect(
      grants.some(({ body: grant }) => String(grant["subscription"]).includes(one.address)),
      one,
      "buries nothing: Pub/Sub needs roles/pubsub.subscriber on it",
    );
    const after = JSON.stringify(body["depends_on"] ?? []);
    expect(
      after.includes("google_cloud_run_v2_service_iam_member"),
      one,
      "would push before it may: depend on the grant of run.invoker",
    );
  }
  const letters = of("google_pubsub_topic_iam_member").filter(({ body }) =>
    String(body["topic"]).includes('"dead-letters"'),
  );
  expect(
    letters.some(({ body }) => body["role"] === "roles/pubsub.publisher"),
    { file: "messaging.tf", address: "the topic of dead letters", body: {} },
    "gets nothing: Pub/Sub needs roles/pubsub.publisher on it",
  );
  for (const one of of("google_cloudfunctions2_function")) {
    const [service] = one.body["service_config"] as Body[];
    expect(
      service?.["service_account_email"] !== undefined,
      one,
      "would run as the default account, which may do far too much",
    );
    const ingress = String(service?.["ingress_settings"]);
    const isInternal =
      ingress === "ALLOW_INTERNAL_ONLY" ||
      /^\$\{each\.key == "answers" \? local\.answers_ingress : "ALLOW_INTERNAL_ONLY"\}$/.test(ingress);
    expect(isInternal, one, "can be reached from the internet");
    const [built] = one.body["build_config"] as Body[];
    expect(
      built?.["service_account"] !== undefined,
      one,
      "would be built by the default account, which may have no rights",
    );
    expect(
      ["nodejs22", "nodejs24"].includes(String(built?.["runtime"])),
      one,
      "runs on a Node that Google does not offer any more",
    );
  }
  for (const one of of("google_cloud_run_v2_service_iam_member")) {
    expect(
      JSON.stringify(one.body["lifecycle"] ?? "").includes("replace_triggered_by"),
      one,
      "is lost when its function is replaced: add replace_triggered_by",
    );
  }
  for (const type of ["google_monitoring_alert_policy", "google_monitoring_uptime_check_config"]) {
    for (const one of of(type)) expect(one.body["user_labels"] !== undefined, one, "has no labels: add user_labels");
  }
  for (const one of of("google_storage_bucket")) {
    expect(
      one.body["uniform_bucket_level_access"] === true,
      one,
      "allows rights on single objects, which nobody oversees",
    );
  }
  for (const one of of("google_storage_bucket_iam_member").filter(({ body }) =>
    JSON.stringify(body).includes('function[\\"notify\\"]'),
  )) {
    expect(
      one.body["role"] === "roles/storage.objectUser",
      one,
      "does not fit: the notifier cannot write its status pages",
    );
  }
  for (const one of of("google_storage_bucket_object")) {
    expect(
      /md5|sha/.test(String(one.body["name"])),
      one,
      "keeps its name when its content changes, and the function is not deployed anew",
    );
  }
  for (const one of of("google_firestore_field")) {
    expect(one.body["database"] !== undefined, one, "speaks of the default database");
  }
  for (const one of of("google_cloud_scheduler_job")) {
    expect(
      one.body["attempt_deadline"] === undefined || one.body["pubsub_target"] === undefined,
      one,
      "has a deadline, which a job that publishes cannot keep",
    );
    expect(one.body["time_zone"] === "Etc/UTC", one, "runs twice or not at all when clocks change: use Etc/UTC");
  }
  for (const one of of("google_vpc_access_connector")) {
    expect(one.body["max_instances"] !== undefined, one, "needs max_instances: the API refuses it otherwise");
  }
  for (const one of of("google_secret_manager_secret_version")) {
    expect(one.body["secret_data"] === undefined, one, "would leave its value in the state");
  }
  return problems;
}
