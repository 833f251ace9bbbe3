/** DNS servers that are queried for records. */
import type { Answer } from "dns-packet";
import { type Answering, type DnsAnswer, startDnsServer } from "../../functions/probe/dns-server.fixtures.ts";
import type { Case, Check, Verdict } from "../case.ts";
import type { Stand } from "../stand.ts";

type Asked = Extract<Check, { protocol: "dns" }>;

const name = "shop.conformance.test";
const a = (...addresses: string[]): Answer[] => addresses.map((data) => ({ type: "A", name, data }));

async function at(stand: Stand, answering: Answering, more: Partial<Asked> = {}): Promise<Check> {
  const { port, stop } = await startDnsServer(answering, (server) => stand.listen(server));
  stand.onStop(stop);
  return { protocol: "dns", name, type: "A", server: `127.0.0.1:${port}`, ...more };
}

/** A server that gives every query the same answer. */
const answers = (
  does: string,
  answer: DnsAnswer | Answering,
  verdict: Verdict,
  more: Partial<Asked> = {},
  timeoutMs?: number,
): Case => ({
  name: does,
  verdict,
  serve: (stand) => at(stand, typeof answer === "function" ? answer : () => answer, more),
  ...(timeoutMs === undefined ? {} : { timeoutMs }),
});

const refuses = (rcode: number, code: string, says: RegExp): Case =>
  answers(`answers ${code}`, { rcode }, { kind: "dns", phase: "lookup", code, says });

const mismatch = (says: RegExp): Verdict => ({ kind: "body", phase: "lookup", code: "MISMATCH", says });

const nothing = (type: string): Verdict => ({
  kind: "dns",
  phase: "lookup",
  code: "NODATA",
  says: new RegExp(`the DNS server 127\\.0\\.0\\.1:\\d+ has no record for ${type} of ${name.replaceAll(".", "\\.")}`),
});

const silent: Verdict = { kind: "timeout", phase: "lookup", says: /timed out while .*the DNS server 127\.0\.0\.1:\d+/ };

/** The cases. */
export const dnsRecordCases: readonly Case[] = [
  answers("has the address that is asked for", { answers: a("127.0.0.1") }, "up"),
  answers("has the addresses that are expected, in another order", { answers: a("127.0.0.2", "127.0.0.1") }, "up", {
    records: ["127.0.0.1", "127.0.0.2"],
  }),
  answers("repeats the address that is expected", { answers: a("127.0.0.1", "127.0.0.1") }, "up", {
    records: ["127.0.0.1"],
  }),
  answers(
    "repeats one address in place of another",
    { answers: a("127.0.0.1", "127.0.0.1") },
    mismatch(/answered 127\.0\.0\.1, expected 127\.0\.0\.1, 127\.0\.0\.9,/),
    { records: ["127.0.0.1", "127.0.0.9"] },
  ),
  answers(
    "answers with an alias and its address",
    { answers: [{ type: "CNAME", name, data: "lb.conformance.test" }, ...a("127.0.0.1")] },
    "up",
    { records: ["127.0.0.1"] },
  ),
  answers(
    "writes names in capital letters",
    { answers: [{ type: "MX", name, data: { preference: 10, exchange: "MAIL.Conformance.test" } }] },
    "up",
    { type: "MX", records: ["10 mail.conformance.test"] },
  ),
  answers(
    "writes a text in pieces",
    { answers: [{ type: "TXT", name, data: [Buffer.from("v=spf1 "), Buffer.from("-all")] }] },
    "up",
    { type: "TXT", records: ["v=spf1 -all"] },
  ),
  answers("says over UDP that its answer is too long for it", { truncated: true, answers: a("127.0.0.1") }, "up"),
  refuses(1, "FORMERR", /does not understand the query \(FORMERR\)/),
  refuses(2, "SERVFAIL", /answered that it failed \(SERVFAIL\)/),
  refuses(3, "NXDOMAIN", /answered that the name does not exist \(NXDOMAIN\)/),
  refuses(4, "NOTIMP", /does not support this type of query \(NOTIMP\)/),
  refuses(5, "REFUSED", /refuses to answer the query \(REFUSED\)/),
  answers("has no record of the type", {}, nothing("MX"), { type: "MX" }),
  answers(
    "has an alias that leads nowhere",
    { answers: [{ type: "CNAME", name, data: "gone.conformance.test" }] },
    nothing("A"),
  ),
  answers(
    "has another address than is expected",
    { answers: a("127.0.0.9") },
    mismatch(/answered 127\.0\.0\.9, expected 127\.0\.0\.1,/),
    { records: ["127.0.0.1"] },
  ),
  answers(
    "has an address more than is expected",
    { answers: a("127.0.0.1", "127.0.0.9") },
    mismatch(/answered 127\.0\.0\.1, 127\.0\.0\.9, expected 127\.0\.0\.1,/),
    { records: ["127.0.0.1"] },
  ),
  answers(
    "has an address less than is expected",
    { answers: a("127.0.0.1") },
    mismatch(/answered 127\.0\.0\.1, expected 127\.0\.0\.1, 127\.0\.0\.9,/),
    { records: ["127.0.0.1", "127.0.0.9"] },
  ),
  answers("does not answer a question", () => undefined, silent, {}, 300),
  answers("answers a question with garbage", () => Buffer.from("garbage"), silent, {}, 300),
  answers("answers with the number of another question", { idOff: 1, answers: a("127.0.0.1") }, silent, {}, 300),
  answers("answers about another name", { name: "other.test", answers: a("127.0.0.1") }, silent, {}, 300),
  answers(
    "says over UDP that its answer is too long, and sends garbage by TCP",
    (_name, _type, transport) => (transport === "udp" ? { truncated: true } : Buffer.from("garbage")),
    { kind: "protocol", phase: "lookup", says: /does not speak DNS: its response is malformed/ },
  ),
  {
    name: "is not there to be asked for records",
    verdict: { kind: "refused", phase: "lookup", says: /the DNS server 127\.0\.0\.1:\d+ refused the connection/ },
    serve: async (stand) => ({ protocol: "dns", name, type: "A", server: `127.0.0.1:${await stand.closedPort()}` }),
  },
  {
    name: "has two addresses, of which one accepts no connection",
    verdict: {
      kind: "refused",
      phase: "connect",
      says: /1 of 2 addresses of shop\.conformance\.test do not accept a connection on port \d+: 127\.0\.0\.2:\d+ refused/,
    },
    serve: async (stand) => {
      const connect = await stand.tcp(() => {});
      return await at(stand, () => ({ answers: a("127.0.0.1", "127.0.0.2") }), { connect });
    },
  },
];
