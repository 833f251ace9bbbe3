/** Pathkeeper's probes against every server of the suite: kind, phase, status or code, and message. */
import { describe, expect, it } from "vitest";
import { type Case, libraryText, mistakes } from "./case.ts";
import { pathkeeper } from "./monitors/pathkeeper.ts";
import { Stand } from "./stand.ts";
import { suite } from "./suite.ts";

async function said({ serve, timeoutMs = 2_000 }: Case) {
  const stand = new Stand();
  try {
    return await pathkeeper.look(await serve(stand), timeoutMs);
  } finally {
    await stand.stop();
  }
}

describe.each(Object.entries(suite))("%s", (_protocol, cases) => {
  it.each(cases.map((one) => [one.name, one] as const))(
    "reports the expected result for a server that %s",
    async (_name, one) => {
      const answer = await said(one);
      if (answer === undefined) throw new Error("Pathkeeper cannot look at it");
      expect(mistakes(one.verdict, answer, true)).toEqual([]);
      expect(answer.text).not.toMatch(libraryText);
    },
  );
});

describe("the suite", () => {
  it.each(Object.entries(suite))("has unique names for the cases of %s", (_protocol, cases) => {
    const names = cases.map(({ name }) => name);
    expect(names.filter((name, position) => names.indexOf(name) !== position)).toEqual([]);
  });

  it("finds the mistakes in the result of a monitor", () => {
    const verdict = { kind: "tls", phase: "tls", says: /expired/ } as const;
    expect(mistakes("up", { up: false, text: "no" }, false)).toEqual(["it is up, and was said to be down: no"]);
    expect(mistakes(verdict, { up: true, text: "" }, false)).toEqual(["it is down, and was said to be up"]);
    expect(mistakes(verdict, { up: false, text: "no" }, false)).toEqual([]);
    expect(mistakes(verdict, { up: false, kind: "tls", phase: "tls", text: "no" }, true)).toEqual([
      "the sentence does not match /expired/: no",
    ]);
    expect(mistakes(verdict, { up: false, kind: "tls", phase: "tls", text: "it expired" }, true)).toEqual([]);
    expect(mistakes(verdict, { up: false, text: "it expired", kind: "dns" }, true)).toEqual([
      "kind is dns, expected tls",
      "phase is undefined, expected tls",
    ]);
  });
});
