/** The prober `dns`: the records of a name, queried from each of several resolvers, and a connection to every address. */
import { getServers } from "node:dns";
import { isIP } from "node:net";
import { domainToASCII } from "node:url";
import type { Answer } from "dns-packet";
import { z } from "zod";
import { type SecretReference, textOrSecret } from "../../../shared/config/fields.ts";
import { ownEntry } from "../../../shared/runtime/entries.ts";
import { lazily } from "../../../shared/runtime/lazily.ts";
import { dial } from "../net/dial.ts";
import { portNumber } from "../net/endpoint.ts";
import { failureOf, hostAndPort, ProbeFault, type SeenFailure } from "../net/faults.ts";
import { stopwatch } from "../net/stopwatch.ts";
import type { Assessment, Prober, ProbeWorld } from "../prober.ts";
import { type DnsServer, parseServer, queryServer, shownServer } from "../protocol/dns-question.ts";
import { cite, type ReportText, TargetText } from "../text/target-text.ts";
import { onlyWhere } from "../yields.ts";

/** The supported record types. */
const recordTypes = ["A", "AAAA", "CAA", "CNAME", "MX", "NS", "PTR", "SOA", "SRV", "TXT"] as const;

type RecordType = (typeof recordTypes)[number];

const expectedRecords = lazily(() => {
  const fields = recordTypes.map((type) => [
    type,
    z.array(textOrSecret()).min(1).optional().describe(`All ${type} records, in any order.`),
  ]);
  type Field = z.ZodOptional<z.ZodArray<z.ZodType<string | SecretReference, string | SecretReference>>>;
  return z.strictObject(Object.fromEntries(fields) as Record<RecordType, Field>).default({});
});

const settings = lazily(() =>
  z
    .strictObject({
      name: z
        .string()
        .refine((text) => isName(asciiName(text)), "must be a host name, such as api.example.com")
        .describe("The name to look up. No search domain is added."),
      types: z
        .array(z.enum(recordTypes))
        .min(1)
        .optional()
        .describe("Record types, each of which must exist. Default: the types in `expect`, otherwise A."),
      expect: expectedRecords().describe(
        'What the records of a type must be, all of them: `{ A: [203.0.113.7], MX: ["10 mail.example.com"] }`.',
      ),
      resolvers: z
        .array(
          z
            .string()
            .refine((text) => parseServer(text) !== undefined, "must be an address such as 8.8.8.8 or 10.0.0.2:5353"),
        )
        .min(1)
        .max(10)
        .optional()
        .describe(
          "Addresses of the DNS servers to query. Each must return the records. Default: the system's DNS servers.",
        ),
      transport: z
        .enum(["udp", "tcp"])
        .default("udp")
        .describe(
          "The transport to query the servers with. With udp, a query is repeated over TCP if the response is too long for UDP.",
        ),
      connect: portNumber()
        .optional()
        .describe("A port on which every address found must accept a connection, not only the first."),
    })
    .refine((all) => all.connect === undefined || asked(all).some((type) => type === "A" || type === "AAAA"), {
      message: "connect requires addresses: add A or AAAA under types",
      path: ["connect"],
    }),
);

/** Settings of a `dns` probe. */
export type DnsSettings = z.output<ReturnType<typeof settings>>;

/** The answer of a resolver for one record type. */
export interface DnsLookup {
  readonly resolver: string;
  readonly type: RecordType;
  readonly failure?: SeenFailure;
  /** Seconds until the response; absent if there was none. */
  readonly seconds?: number;
  /** The records as texts; absent if there was no response. */
  readonly records?: readonly string[];
}

/** Returns a name in the form of DNS, in ASCII. */
function asciiName(text: string): string {
  return domainToASCII(text) || text;
}

function isName(text: string): boolean {
  return text.length <= 253 && /^([\w-]{1,63}\.)*[\w-]{1,63}\.?$/.test(text);
}

/** The observation of a name. */
export interface DnsObservation {
  readonly lookups: readonly DnsLookup[];
  /** The result of the connection to each address. */
  readonly addresses: readonly { readonly address: string; readonly failure?: SeenFailure }[];
}

/** The prober `dns`. */
export const dns: Prober<DnsSettings, DnsObservation> = {
  kind: "dns",
  title:
    "Looks up the records of a name, optionally from each of several DNS servers, and can connect to every address found.",
  role: "dns",
  reach: "users",
  get settings() {
    return settings();
  },
  example: `name: api.example.com
expect: { A: [203.0.113.7, 203.0.113.8] }
resolvers: [8.8.8.8, 1.1.1.1]
connect: 443
`,
  notes: `Write records as in zone files, without the final dot: \`10 mail.example.com\` (MX), \`0 5 5060 sip.example.com\` (SRV), \`0 issue letsencrypt.org\` (CAA), \`ns1.example.com hostmaster.example.com 2026113001\` (SOA: up to the serial number). \`failure.code\`
is the DNS response code: \`NXDOMAIN\`, \`SERVFAIL\`, \`REFUSED\`, or \`NODATA\` if the name exists and has no record of the type.`,
  usualSeconds: 0.1,
  yields: (settings) => [
    ...(["dns_lookup_time", "dns_records"] as const).map((metric) => ({
      metric,
      ...(settings === undefined ? {} : { labels: { type: asked(settings) } }),
    })),
    ...onlyWhere(settings, ({ connect }) => connect !== undefined, "with connect", ["dns_address_success"]),
  ],

  async observe(settings, world) {
    const expected = await resolvedExpectations(settings, world);
    const lookups = await Promise.all(
      serversOf(settings).flatMap((group) =>
        asked(settings).map((type) => lookedUp(settings, type, group, expected, world)),
      ),
    );
    const { connect } = settings;
    const found = lookups.flatMap(({ type, records = [] }) => (type === "A" || type === "AAAA" ? records : []));
    const addresses =
      connect === undefined
        ? []
        : await Promise.all([...new Set(found)].map((address) => accepted(address, connect, world)));
    return { lookups, addresses };
  },

  assess({ name, connect }, { lookups, addresses }) {
    const measurements: Assessment["measurements"][number][] = lookups.flatMap(
      ({ resolver, type, seconds, records }) => {
        const labels = { resolver, type };
        return [
          ...(seconds === undefined ? [] : [{ metric: "dns_lookup_time" as const, value: seconds, labels }]),
          ...(records === undefined ? [] : [{ metric: "dns_records" as const, value: records.length, labels }]),
        ];
      },
    );
    const lost = addresses.filter(({ failure }) => failure !== undefined);
    if (addresses.length > 0)
      measurements.push({ metric: "dns_address_success", value: 1 - lost.length / addresses.length });
    const unresolved = lookups.filter(({ failure }) => failure !== undefined);
    const first = unresolved[0]?.failure ?? lost[0]?.failure;
    if (first === undefined) return { measurements };
    const count = unresolved.length > 0 ? unresolved.length : lost.length;
    const of = unresolved.length > 0 ? lookups.length : addresses.length;
    const what =
      unresolved.length > 0 ? "lookups failed" : `addresses of ${name} do not accept a connection on port ${connect}`;
    const message = of === 1 ? first.message : cite`${count} of ${of} ${what}: ${first.message}`;
    return { failure: { ...first, message }, measurements };
  },
};

/** Returns the record types to query. */
function asked({
  types,
  expect,
}: {
  readonly types?: readonly RecordType[] | undefined;
  readonly expect: Partial<Record<RecordType, unknown>>;
}): RecordType[] {
  const expected = recordTypes.filter((type) => expect[type] !== undefined);
  return [...new Set([...(types ?? (expected.length > 0 ? [] : ["A" as const])), ...expected])];
}

/** Redundant servers, under one name. */
interface ServerGroup {
  readonly name: string;
  readonly servers: readonly DnsServer[];
}

function serversOf({ resolvers }: DnsSettings): ServerGroup[] {
  const known = (texts: readonly string[]): DnsServer[] => texts.flatMap((text) => parseServer(text) ?? []);
  return (
    resolvers?.map((text) => ({ name: text, servers: known([text]) })) ?? [
      { name: "system", servers: known(getServers()) },
    ]
  );
}

/** Returns the expected records by type, secrets resolved, in normalized form. */
type Expected = ReadonlyMap<RecordType, readonly string[]>;

async function resolvedExpectations({ expect }: DnsSettings, world: ProbeWorld): Promise<Expected> {
  const expected = new Map<RecordType, readonly string[]>();
  for (const type of recordTypes) {
    const texts = await Promise.all((expect[type] ?? []).map((record) => world.resolve(record)));
    if (texts.length > 0)
      expected.set(
        type,
        texts.map((text) => comparable(text, type)),
      );
  }
  return expected;
}

/** Time to wait for one of the system's servers before the next is queried, in milliseconds. */
const patienceMs = 2_000;

async function lookedUp(
  { name, transport }: DnsSettings,
  type: RecordType,
  { name: resolver, servers }: ServerGroup,
  expected: Expected,
  world: ProbeWorld,
): Promise<DnsLookup> {
  const started = world.clock();
  let peer = resolver;
  try {
    for (const [position, server] of servers.entries()) {
      peer = `the DNS server ${shownServer(server)}`;
      const isLast = position === servers.length - 1;
      const signal = isLast ? world.signal : AbortSignal.any([world.signal, AbortSignal.timeout(patienceMs)]);
      try {
        const { code, records } = await queryServer({ name: asciiName(name), type, transport }, server, {
          ...world,
          signal,
        });
        const seconds = (world.clock() - started) / 1000;
        const texts = code === "NOERROR" ? records.flatMap((record) => shownRecord(record) ?? []) : [];
        const problem = judged(code, texts, type, expected.get(type));
        if (problem === undefined) return { resolver, type, seconds, records: texts };
        const message = cite`${peer} ${problem.says} for ${type} of ${name}`;
        const failure = { kind: problem.kind, phase: "lookup", message, code: problem.code };
        return { resolver, type, seconds, records: texts, failure };
      } catch (error) {
        if (isLast || world.signal.aborted) throw error;
      }
    }
    throw new ProbeFault("internal", "the system has no DNS server configured");
  } catch (error) {
    const failure = failureOf(error, { phase: "lookup", peer, signal: world.signal });
    return {
      resolver,
      type,
      failure: { ...failure, message: cite`${failure.message} (${type} of ${name})` },
    };
  }
}

/** Returns the failure of an answer, in words that follow the name of the server. */
function judged(
  code: string,
  records: readonly string[],
  type: RecordType,
  expected: readonly string[] | undefined,
): { kind: "dns" | "body"; code: string; says: ReportText } | undefined {
  if (code !== "NOERROR") return { kind: "dns", code, says: `answered ${ownEntry(meanings, code) ?? code}` };
  if (records.length === 0) return { kind: "dns", code: "NODATA", says: "has no record" };
  if (expected === undefined) return undefined;
  const found = [...new Set(records.map((record) => comparable(record, type)))];
  if (found.length === new Set(expected).size && found.every((one) => expected.includes(one))) return undefined;
  const list = (texts: readonly string[]): TargetText => TargetText.of(texts.toSorted().join(", ")).first(90);
  return { kind: "body", code: "MISMATCH", says: cite`answered ${list(found)}, expected ${list(expected)},` };
}

const meanings: Readonly<Record<string, string>> = {
  NXDOMAIN: "that the name does not exist (NXDOMAIN)",
  SERVFAIL: "that it failed (SERVFAIL)",
  REFUSED: "that it refuses to answer the query (REFUSED)",
  FORMERR: "that it does not understand the query (FORMERR)",
  NOTIMP: "that it does not support this type of query (NOTIMP)",
};

/** Returns a record in the format of a zone file; `undefined` for an unsupported type. */
function shownRecord(record: Answer): string | undefined {
  switch (record.type) {
    case "A":
    case "AAAA":
    case "CNAME":
    case "NS":
    case "PTR":
      return record.data;
    case "TXT":
      return [record.data].flat().map(String).join("");
    case "MX":
      return `${record.data.preference ?? 0} ${record.data.exchange}`;
    case "SRV":
      return `${record.data.priority ?? 0} ${record.data.weight ?? 0} ${record.data.port} ${record.data.target}`;
    case "CAA":
      return `${record.data.flags ?? 0} ${record.data.tag} ${record.data.value}`;
    case "SOA":
      return `${record.data.mname} ${record.data.rname} ${record.data.serial ?? 0}`;
    default:
      return undefined;
  }
}

/** Normalizes a record: names in lower case and without the trailing dot, IPv6 addresses in their short form. */
function comparable(record: string, type: RecordType): string {
  if (type === "TXT") return record;
  if (type === "AAAA" && isIP(record) === 6) return new URL(`http://[${record}]`).hostname.slice(1, -1);
  return record.trim().toLowerCase().replaceAll(/\s+/g, " ").replace(/\.$/, "");
}

async function accepted(
  address: string,
  port: number,
  world: ProbeWorld,
): Promise<DnsObservation["addresses"][number]> {
  try {
    const socket = await dial(
      { host: address, port },
      world,
      stopwatch(() => world.clock()),
    );
    socket.destroy();
    return { address };
  } catch (error) {
    const peer = hostAndPort(address, port);
    return { address, failure: failureOf(error, { phase: "connect", peer, signal: world.signal }) };
  }
}
