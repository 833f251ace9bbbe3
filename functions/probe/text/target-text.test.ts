import { describe, expect, expectTypeOf, it } from "vitest";
import { Redactor } from "../../../shared/text/redact.ts";
import { cite, openText, TargetText } from "./target-text.ts";

const secrets = new Redactor(["c4n4ry-S3cret"]);

describe("text from a target", () => {
  it("is not a string, so that the compiler rejects its use without concealing", () => {
    const text = TargetText.of("token c4n4ry-S3cret");
    expectTypeOf(text).not.toExtend<string>();
    expectTypeOf(text).not.toHaveProperty("slice");
    expectTypeOf(text.open).parameters.toEqualTypeOf<[Redactor]>();
    expect(JSON.stringify({ said: text })).toBe('{"said":"***"}');
    expect(`${text}`).toBe("***");
  });

  it("is concealed before it is cut, quoted or joined", () => {
    const text = TargetText.of(`${"x".repeat(10)}c4n4ry-S3cret and more`);
    expect(text.first(14).open(secrets)).toBe(`${"x".repeat(10)}***…`);
    expect(text.quoted(14).open(secrets)).toBe(`"${"x".repeat(10)}***…"`);
    expect(cite`it said ${text.first(14)} (${2} times)`.open(secrets)).toBe(`it said ${"x".repeat(10)}***… (2 times)`);
    expect(cite`it said ${cite`${text}!`}`.open(secrets)).toBe(`it said ${"x".repeat(10)}*** and more!`);
  });

  it("is concealed with the secrets known when it is opened, and not only when it was received", () => {
    const late = new Redactor();
    const text = cite`the answer is ${TargetText.of("a later token")}`;
    late.add("later token");
    expect(text.open(late)).toBe("the answer is a ***");
  });

  it("omits a possible beginning of a secret where it was cut off", () => {
    expect(TargetText.of("told c4n", true).open(secrets)).toBe("told ***");
    expect(TargetText.of("told c4n").open(secrets)).toBe("told c4n");
    expect(TargetText.soFar(Buffer.from("told c4n4ry-\u00e9").subarray(0, -1)).open(secrets)).toBe("told ***");
  });

  it("is masked before it is cut", () => {
    const masked = cite`the body is ${TargetText.of(`${"x".repeat(4)}hidden`).first(7)}`.masked((text) =>
      text.replaceAll("hidden", "*"),
    );
    expect(masked.open(secrets)).toBe("the body is xxxx*");
  });

  it("is evaluated verbatim", () => {
    expect(TargetText.of("c4n4ry-S3cret").judge((text) => text.length)).toBe(13);
  });
});

describe("ReportText", () => {
  it("are opened in the same way, whether they quote a target or not", () => {
    expect(openText("our c4n4ry-S3cret", secrets)).toBe("our ***");
    expect(openText(cite`its ${TargetText.of("c4n4ry-S3cret")}`, secrets)).toBe("its ***");
    expect(openText("x".repeat(1_000), secrets)).toHaveLength(300);
  });
});
