import { describe, expect, it } from "vitest";
import { closedPort } from "../../functions/probe/fixtures.ts";
import { parseReport } from "../../shared/messages/report.ts";
import { fileOf, run, siteOf } from "../local-probes.fixtures.ts";

const shop = (pages: string, search: string): string =>
  fileOf(`environment: shop
components: { pages: { layer: application } }
probes:
  pages: { kind: http, component: pages, url: "${pages}" }
  search: { kind: http, component: pages, vantage: inside, schedule: every 2h, url: "${search}" }
`);

/** The lines of the table, with what differs from run to run left out. */
function plain(lines: readonly string[]): string[] {
  return lines.map((line) =>
    line
      .replaceAll(/\d+(\.\d+)?m?s\b/g, "TIME")
      .replaceAll(/127\.0\.0\.1:\d+/g, "HOST")
      .replaceAll(/ {2,}/g, "  "),
  );
}

describe("probe", () => {
  it("runs every probe once, whatever its vantage point and schedule, and shows the results", async () => {
    const [pages, search] = [await siteOf(200), await siteOf(200)];
    const { code, out, err } = await run("probe", "--config", shop(pages.url, search.url));
    expect([code, err, pages.requests, search.requests]).toEqual([0, [], 1, 1]);
    expect(plain(out)).toEqual([
      "  probe  result  duration  measured  why",
      "  pages  ok  TIME  http_response_time TIME, http_status 200, http_body_size 7B",
      "  search  ok  TIME  http_response_time TIME, http_status 200, http_body_size 7B",
      "",
      "2 probes, nothing failed",
    ]);
  });

  it("shows failures with their reasons, and exits with 1", async () => {
    const { code, out } = await run(
      "probe",
      "--config",
      shop((await siteOf(503)).url, `http://127.0.0.1:${await closedPort()}/`),
    );
    expect([code, out.at(-1)]).toEqual([1, "2 of 2 probes failed"]);
    expect(out[1]).toMatch(/^ {2}pages {3}failed .* http_status 503,.* {2}response: 503 Service Unavailable/);
    expect(out[2]).toMatch(/^ {2}search {2}failed .* {2}connect: .*refused/);
  });

  it("prints the report of each vantage point as JSON, one per line", async () => {
    const site = await siteOf(503);
    const { code, out } = await run("probe", "--config", shop(site.url, site.url), "--json");
    const reports = out.map((line) => parseReport(JSON.parse(line)));
    expect(code).toBe(1);
    expect(reports.map(({ vantage, trigger, group, results }) => [vantage, trigger, group, results.length])).toEqual([
      ["outside", "diagnosis", "outside-diagnosis", 1],
      ["inside", "diagnosis", "inside-diagnosis", 1],
    ]);
    expect(reports[0]).toMatchObject({
      v: 1,
      environment: "shop",
      report: expect.stringMatching(/^shop\/outside-diagnosis\/\d{4}-\d\d-\d\dT.*Z$/),
      results: [{ probe: "pages", component: "pages", success: false, failure: { kind: "http_status" } }],
    });
  });

  it("runs only the selected probes", async () => {
    const [pages, search] = [await siteOf(503), await siteOf(200)];
    const { code, out } = await run("probe", "--config", shop(pages.url, search.url), "--probe", "search");
    expect([code, pages.requests, search.requests, out.at(-1)]).toEqual([0, 0, 1, "1 probe, nothing failed"]);
  });

  it("reads secrets from files, and never prints them", async () => {
    const site = await siteOf(503);
    const file = fileOf(`environment: shop
components: { pages: { layer: application } }
probes:
  pages: { kind: http, component: pages, url: "${site.url}", headers: { authorization: { secret: token } } }
`);
    const { out } = await run("probe", "--config", file, "--secrets", "/nowhere", "--json");
    expect(out[0]).toContain('secret \\"token\\" not found');
    expect(out[0]).toContain("/nowhere");
    expect(site.requests).toBe(0);
  });

  it.each([
    [["--probe", "serch"], 'unknown probe "serch": did you mean "search"?'],
    [["--probe", "pages", "--probe", "x"], 'unknown probe "x": the probes are pages, search'],
  ])("refuses %j in one line, with exit code 2", async (args, message) => {
    const { code, out, err } = await run("probe", "--config", shop("http://127.0.0.1/", "http://127.0.0.1/"), ...args);
    expect([code, out, err.length]).toEqual([2, [], 1]);
    expect(err[0]).toContain(message);
  });

  it.each([
    ["environment: shop", "monitor.yaml has no probes: add one under probes"],
    ["environment: shop\nprobe: {}", 'monitor.yaml:2:1  unknown key "probe": did you mean "probes"?'],
    ["probe: {}\ntitel: x\n", "more, shown by npx --no pathkeeper validate"],
  ])("refuses the configuration %j in one line, with exit code 2", async (text, message) => {
    const { code, out, err } = await run("probe", "--config", fileOf(text));
    expect([code, out, err.length]).toEqual([2, [], 1]);
    expect(err[0]).toContain(message);
  });
});
