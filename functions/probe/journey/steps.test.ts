import { describe, expect, it } from "vitest";
import { chatJourney } from "../journey.fixtures.ts";
import { journey } from "../probers/journey.ts";

type Written = ReturnType<typeof chatJourney>;

/** Returns the mistakes that the settings report for a change to a valid journey: the place and the sentence of each. */
function mistakes(change: (journey: Written) => object): (readonly [string, string])[] {
  const parsed = journey.settings.safeParse(change(chatJourney(1)));
  return parsed.success ? [] : parsed.error.issues.map(({ path, message }) => [path.join("."), message] as const);
}

const withStep =
  (step: object, ...more: object[]) =>
  (journey: Written) => ({
    ...journey,
    steps: [...journey.steps, step, ...more],
  });

describe("the steps of a journey", () => {
  it("are valid", () => {
    expect(mistakes((it) => it)).toEqual([]);
  });

  it.each<[string, (journey: Written) => object, [string, string][]]>([
    [
      "two actions",
      withStep({ name: "x", ping: true, close: 1000 }),
      [["steps.6", "a step needs exactly one action, but this one has ping and close: split it into separate steps"]],
    ],
    [
      "no action",
      withStep({ name: "x" }),
      [
        [
          "steps.6",
          "a step needs exactly one action, but this one has none: write http, websocket, stream, send, expect, ping, close or check",
        ],
      ],
    ],
    [
      "a name twice",
      withStep({ name: "reply", ping: true }),
      [["steps.6.name", 'duplicate step "reply": choose another name']],
    ],
    [
      "a name twice, once in the clean-up",
      ({ cleanup: [first], ...rest }) => ({ ...rest, cleanup: [{ ...first, name: "reply" }] }),
      [["cleanup.0.name", 'duplicate step "reply": choose another name']],
    ],
    [
      "a message after the close",
      withStep({ name: "leave", close: 1000 }, { name: "late", send: "x" }),
      [["steps.7.send", "no WebSocket is open here: add a step with websocket before it"]],
    ],
    [
      "a message in the clean-up, over a WebSocket of the steps",
      (it) => ({ ...it, cleanup: [{ name: "bye", send: "x" }] }),
      [["cleanup.0.send", "no WebSocket is open here: add a step with websocket before it"]],
    ],
    [
      "a variable that nothing captures",
      withStep({ name: "x", send: { a: ["${thraed}"] } }),
      [["steps.6.send.a.0", '${thraed} has no value here: did you mean "thread"?']],
    ],
    [
      "a variable before it is captured",
      ({ steps: [first, ...steps], ...rest }) => ({
        ...rest,
        steps: [{ name: "x", http: { url: "http://x/${thread}" } }, first, ...steps],
      }),
      [["steps.0.http.url", "${thread} has no value here: the variables so far are run_id, password, greeting"]],
    ],
    [
      "a check of nothing",
      withStep({ name: "x", check: { idd: 1 } }),
      [["steps.6.check.idd", '${idd} has no value here: did you mean "id"?']],
    ],
    [
      "a mark that is none",
      withStep({ name: "x", send: "${a b}" }),
      [["steps.6.send", "${a b} is not a valid variable: write ${name}, or $${ for a literal ${"]],
    ],
    ["the characters themselves", withStep({ name: "x", send: "$${a b}" }), []],
    [
      "a variable for a host",
      withStep({ name: "x", http: { url: "http://${name}/" } }),
      [
        [
          "steps.6.http.url",
          "scheme, host and port cannot contain variables: use variables in the path and query only",
        ],
      ],
    ],
    [
      "a capture from a ping",
      withStep({ name: "x", ping: true, capture: { a: "$.a" } }),
      [["steps.6.capture", "values can be captured only from the response of http and the messages of expect"]],
    ],
    [
      "a capture that is no path",
      withStep({ name: "x", http: { url: "http://x/" }, capture: { a: "token" } }),
      [["steps.6.capture.a", "must be a path such as $.token, or { header: NAME } or { json: PATH }"]],
    ],
    [
      "both bodies",
      withStep({ name: "x", http: { url: "http://x/", body: "a", json: 1 } }),
      [["steps.6.http.json", "set either body or json, not both"]],
    ],
    ["no steps", (it) => ({ ...it, steps: [], cleanup: [] }), [["steps", expect.stringContaining(">=1")]]],
  ])("are refused with %s", (_what, change, expected) => {
    expect(mistakes(change)).toEqual(expected);
  });
});
