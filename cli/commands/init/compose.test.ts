import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { loadConfiguration } from "../../../shared/config/load.ts";
import { vocabulary } from "../../vocabulary.ts";
import { compose } from "./compose.ts";
import type { Draft } from "./draft.ts";
import type { Found } from "./found.ts";
import { answering, container, foundOf, project, service, shop } from "./project.fixtures.ts";
import { readProject } from "./read.ts";
import { type Written, writtenOf } from "./written.ts";

const now = Date.parse("2026-11-30T12:00:00Z");
const place = `projects/${project}/locations/us-central1`;
const services = `run.googleapis.com/v2/${place}/services`;
const instances = `sqladmin.googleapis.com/v1/projects/${project}/instances`;

function draftOf(found: Found): Draft {
  return compose({ found, endpoints: [], addresses: [], sightings: new Map(), ca: undefined });
}

function writtenFor(found: Found): Written {
  return writtenOf(draftOf(found), "monitor.yaml", now);
}

/** Returns the dependencies of each component. */
function edges({ configuration }: Written): Record<string, readonly string[]> {
  return Object.fromEntries(configuration.components.map(({ name, dependsOn }) => [name, dependsOn]));
}

/** Returns the entries of the section `probes`, as written in the file. */
function probes({ text }: Written): Record<string, Record<string, unknown>> {
  return (parse(text) as { probes: Record<string, Record<string, unknown>> }).probes;
}

describe("a project", () => {
  it("is drafted as components with their dependencies", async () => {
    expect(edges(writtenFor(await foundOf(shop())))).toEqual({
      "google-cloud": [],
      "shop-connector": [],
      orders: ["shop-connector"],
      sessions: ["shop-connector"],
      shop: ["certificates"],
      certificates: [],
      api: ["orders", "sessions"],
      web: ["api", "shop"],
      "orders-to-api": ["api"],
      configuration: [],
    });
  });

  it("has only the warning about missing routes", async () => {
    const { warnings } = writtenFor(await foundOf(shop()));
    expect(warnings.map(({ message }) => message)).toEqual([expect.stringContaining("there are no routes")]);
  });

  it("is probed by its host and its certificate from outside, and by private addresses from inside", async () => {
    expect(probes(writtenFor(await foundOf(shop())))).toMatchObject({
      web: { kind: "http", component: "web", url: "https://shop.example/" },
      "web-certificate": { kind: "tls", component: "certificates", host: "shop.example" },
      "orders-address": { kind: "tcp", component: "orders", vantage: "inside", host: "10.9.0.2", port: 5432 },
      sessions: { kind: "redis", component: "sessions", vantage: "inside", host: "10.9.0.3" },
    });
  });

  it("has the found settings as the expected configuration", async () => {
    expect(probes(writtenFor(await foundOf(shop())))["configuration"]).toMatchObject({
      vpc_connector: { name: "shop-connector", component: "shop-connector" },
      cloud_sql: { instance: "orders", component: "orders", tier: "db-custom-2-7680", availability: "regional" },
      services: [
        {
          name: "api",
          startup: "60s",
          env: ["REDIS_HOST", "DB_PASSWORD"],
          vpc_access: "connector",
          roles: ["roles/cloudsql.client"],
          database: { way: "socket" },
          callers: { services: ["web"], push_subscriptions: ["orders-to-api"], scheduler_jobs: ["nightly"] },
        },
        { name: "web", ingress: "internal-and-load-balancing", vpc_access: "none", callers: { everyone: true } },
      ],
      load_balancer: { url_map: "shop", forwarding_rule: "shop-https" },
      certificates: { compute: ["shop-example"], domains: ["shop.example"] },
      redis: [{ instance: "sessions", availability: "standard" }],
    });
  });

  it("has commented entries that are valid once filled in", async () => {
    const { text } = writtenFor(await foundOf(shop()));
    const filled = text
      .replaceAll(/^#(?= {2}|channels:|routes:)/gm, "")
      .replace(
        /^components:\n/m,
        "components:\n  golden-path: { layer: application, role: journey, depends_on: [web] }\n",
      );
    const loaded = loadConfiguration(filled, "monitor.yaml", vocabulary, now);
    expect("problems" in loaded ? loaded.problems : loaded.warnings).toEqual([]);
    expect(Object.keys((parse(filled) as { probes: object }).probes)).toEqual(
      expect.arrayContaining(["orders", "api", "login", "conversation", "golden-path"]),
    );
  });

  it("stores no value of a variable", async () => {
    const { text } = writtenFor(await foundOf(shop()));
    expect(text).not.toMatch(/hunter2|api-abc123-uc\.a\.run\.app\/v1|live/);
  });

  it("suggests a token, in a comment, for a service that requires authentication", async () => {
    const { text } = writtenFor(await foundOf(shop()));
    expect(text).toMatch(
      /# api accepts only requests with a token[\s\S]*#\s+id_token: https:\/\/api-abc123-uc\.a\.run\.app/,
    );
  });

  it("gives a database with the name of a service its own component", async () => {
    const answers = shop();
    answers[services] = { services: [service("orders", {}), service("unknown", {}), service("pathkeeper", {})] };
    const names = Object.keys(edges(writtenFor(await foundOf(answers))));
    expect(names).toEqual(expect.arrayContaining(["orders", "orders-database"]));
    expect(new Set(names).size).toBe(names.length);
  });

  it("omits a dependency that would form a cycle, and says so", async () => {
    const answers = shop();
    answers[services] = {
      services: [
        service("one", { containers: [container({ OTHER: "https://two-abc123-uc.a.run.app" })] }),
        service("two", { containers: [container({ OTHER: "https://one-abc123-uc.a.run.app" })] }),
      ],
    };
    const written = writtenFor(await foundOf(answers));
    expect([edges(written)["one"], edges(written)["two"]]).toEqual([["two"], []]);
    expect(written.text).toContain("# It also uses one, which depends on it: only one direction can be listed here.");
  });

  it("makes services depend on their own connection paths if they reach a database by several", async () => {
    const answers = shop();
    const ways = ["first", "second"].map((name) =>
      service(name, {
        vpcAccess: { connector: `${place}/connectors/${name}-way`, egress: "ALL_TRAFFIC" },
        containers: [container({ DATABASE_HOST: "10.9.0.2" })],
      }),
    );
    answers[services] = { services: ways };
    const found = edges(writtenFor(await foundOf(answers)));
    expect([found["first"], found["second"], found["orders"]]).toEqual([
      ["orders", "first-way"],
      ["orders", "second-way"],
      [],
    ]);
  });

  it("reaches the database through the subnet of Direct VPC egress", async () => {
    const answers = shop();
    const vpcAccess = { networkInterfaces: [{ network: "shop", subnetwork: "run" }], egress: "PRIVATE_RANGES_ONLY" };
    answers[services] = { services: [service("api", { vpcAccess, containers: [container({ DB_HOST: "10.9.0.2" })] })] };
    const written = writtenFor(await foundOf(answers));
    expect(edges(written)).toMatchObject({ api: ["orders"], orders: ["run"] });
    expect(probes(written)["run-addresses"]).toMatchObject({ kind: "subnet", subnet: "run" });
  });

  it("assumes the only database for a service that refers to one, and gives the evidence", async () => {
    const answers = shop();
    answers[services] = { services: [service("jobs", { containers: [container({ PGHOST: "db.internal" })] })] };
    const written = writtenFor(await foundOf(answers));
    expect(edges(written)["jobs"]).toEqual(["orders"]);
    expect(written.text).toContain("# Its use of orders is inferred from its variable PGHOST");
  });

  it("reports a missing secret of a service", async () => {
    const answers = shop();
    const of = (secret: string): object => ({ name: secret.toUpperCase(), valueSource: { secretKeyRef: { secret } } });
    const own = { ...container({}), env: [of("orders-url"), of("gone"), of("projects/other/secrets/elsewhere")] };
    answers[services] = { services: [service("api", { containers: [own] })] };
    expect(draftOf(await foundOf(answers)).unseen).toEqual([
      "api reads GONE from the secret gone, which does not exist in this project.",
    ]);
  });

  it("assumes no database if there are several", async () => {
    const answers = shop();
    const [one] = (answers[instances] as { items: object[] }).items;
    answers[instances] = { items: [one, { ...one, name: "other", ipAddresses: [] }] };
    answers[services] = { services: [service("jobs", { containers: [container({ PGHOST: "db.internal" })] })] };
    expect(edges(writtenFor(await foundOf(answers)))["jobs"]).toEqual([]);
  });

  it("checks every connector, database and load balancer, in as few probes as possible", async () => {
    const answers = shop();
    const [one] = (answers[instances] as { items: object[] }).items;
    answers[instances] = { items: [one, { ...one, name: "other", ipAddresses: [] }] };
    const all = probes(writtenFor(await foundOf(answers)));
    expect([all["configuration"]?.["cloud_sql"], all["configuration-2"]?.["cloud_sql"]]).toEqual([
      expect.objectContaining({ instance: "orders" }),
      expect.objectContaining({ instance: "other" }),
    ]);
  });

  it("leaves out Pathkeeper's own functions", async () => {
    const answers = shop();
    answers[services] = { services: [service("pathkeeper-notify", {}, { labels: { app: "pathkeeper" } })] };
    expect(Object.keys(edges(writtenFor(await foundOf(answers))))).not.toContain("pathkeeper-notify");
  });

  it("reports resources that it may not read, and the missing permission", async () => {
    const answers = { ...shop(), [instances]: 403 };
    delete (answers as Record<string, unknown>)[`redis.googleapis.com/v1/projects/${project}/locations/-/instances`];
    const found = await foundOf(answers);
    expect(draftOf(found).unseen).toEqual([
      `Cloud SQL instances: you lack cloudsql.instances.list. gcloud projects add-iam-policy-binding ${project} --member=user:YOU --role=roles/cloudsql.viewer`,
      "Memorystore for Redis instances: redis.googleapis.com is not enabled in this project, so there are none.",
    ]);
    const { text } = writtenFor(found);
    expect(text.replaceAll(/\n# +/g, " ")).toContain("you lack cloudsql.instances.list. gcloud projects");
  });

  it("reads every page of a list, and only the selected region", async () => {
    const answers = { ...shop(), [`run.googleapis.com/v1/projects/${project}/locations`]: 403 };
    const found = await foundOf(answers, "us-central1");
    expect(found.services.map(({ name }) => name)).toEqual(["api", "web"]);
    const pages: Record<string, object> = {
      "": { services: [service("one")], nextPageToken: "next" },
      next: { services: [service("two")] },
    };
    const google = answering(({ url }) => {
      const { pathname, searchParams } = new URL(url);
      return pathname.endsWith("/services") ? pages[searchParams.get("pageToken") ?? ""] : {};
    });
    const paged = await readProject({ project, region: "us-central1", google });
    expect(paged.services.map(({ name }) => name)).toEqual(["one", "two"]);
  });
});
