import { describe, expect, it } from "vitest";
import { readOptions } from "./options.ts";

describe("readOptions", () => {
  it("plays the demo on the embedded engine by default", () => {
    expect(readOptions([])).toMatchObject({
      once: false,
      engine: "embedded",
      fault: "connector",
      pace: 1,
      duplicates: 0,
      disorderMs: 0,
    });
  });

  it("reads every option", () => {
    const args = ["--data", "here", "--once", "--pace", "4", "--duplicates", "0.5", "--disorder", "500ms"];
    expect(readOptions(args)).toMatchObject({ data: "here", once: true, pace: 4, duplicates: 0.5, disorderMs: 500 });
    expect(readOptions(["--config", "my.yaml", "--record", "here.ndjson", "--engine", "google"])).toMatchObject({
      config: "my.yaml",
      record: "here.ndjson",
      engine: "google",
    });
    expect(readOptions(["--fault", "login"])).toMatchObject({ fault: "login" });
    expect(readOptions(["--help"])).toBe("help");
  });

  it.each([
    [["--engine", "aws"], "--engine aws: use embedded or google"],
    [["--pace", "3"], "--pace 3: use 1, 2 or 4"],
    [["--duplicates", "2"], "--duplicates 2: use a value from 0 to 1"],
    [["--disorder", "soon"], "--disorder soon: use a duration such as 500ms"],
    [
      ["--engine", "google", "--duplicates", "1"],
      "--duplicates and --disorder require --engine embedded: Google's emulators do not support them",
    ],
    [["--config", "my.yaml", "--once"], "--once applies to the demo and cannot be combined with --config"],
    [["--fault", "logins"], '--fault logins: did you mean "login"?'],
    [["--config", "my.yaml", "--fault", "login"], "--fault applies to the demo and cannot be combined with --config"],
    [["--onec"], "unknown option --onec: did you mean --once? (see npm start -- --help)"],
    [["--pace"], "--pace needs a value: write --pace N (see npm start -- --help)"],
    [["monitor.yaml"], 'unexpected argument "monitor.yaml" (see npm start -- --help)'],
  ])("refuses %j in one sentence", (args, sentence) => {
    expect(() => readOptions(args)).toThrow(sentence);
  });
});
