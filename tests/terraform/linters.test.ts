/** Exceptions for linters: each is documented, and excuses something that exists in the module. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { moduleFiles } from "./static.ts";
import { moduleFolder } from "./terraform.ts";

const page = readFileSync(join(moduleFolder, "..", "docs", "deployment.md"), "utf8");
const rows = page.split("\n").filter((line) => /^\| (tflint|trivy|checkov) /.test(line));
const exceptions = rows.filter((line) => line.includes("| exception")).join("\n");
const trivy = readFileSync(join(moduleFolder, ".trivyignore"), "utf8");
const checkov = parse(readFileSync(join(moduleFolder, ".checkov.yaml"), "utf8")) as { "skip-check": string[] };
const ids = [...(trivy.match(/^AVD-\S+$/gm) ?? []), ...checkov["skip-check"]];

describe("exceptions for linters", () => {
  it.each(ids)("%s is explained", (id) => expect(exceptions).toContain(id));

  it("include no unexplained one", () => {
    const explained = exceptions.match(/\b(AVD-GCP-\d+|CKV2?_GCP_\d+)\b/g) ?? [];
    expect([...new Set(explained)].sort()).toEqual([...ids].sort());
  });

  it("are in use", () => {
    const text = Object.values(moduleFiles()).join("\n");
    expect(text).not.toMatch(/^\s*(versioning|logging) \{/m);
    expect(text).toMatch(/kms_key_name\s+= var\.organization\.kms_key_name/);
  });
});
