/** The checks of individual Cloud Run services. */
import { spokenDuration } from "../../../../shared/text/units.ts";
import type { Check } from "../configuration/check.ts";
import {
  both,
  type CheckOutcome,
  type ExpectationCheck,
  expectation,
  judgementsOf,
  nonEmpty,
  unknownOutcome,
} from "../configuration/judgement.ts";
import type { ServiceSettings } from "../configuration/settings.ts";
import { longestStartup, type RunService, vpcAccessOf, wantedAccess } from "../resources/cloud-run.ts";

/** Maximum number of instances of a Cloud Run service that does not set one. */
export const usualMaximum = 100;

/** Formats seconds for a sentence. */
export function spoken(seconds: number): string {
  return spokenDuration(seconds * 1_000);
}

/** Checks whether the startup probe of a service allows the expected startup time. The maximum of the platform is sufficient. */
export function startupOutcome({ startupSeconds }: RunService, startup: number): CheckOutcome {
  const wanted = startup / 1_000;
  const possible = Math.min(wanted, longestStartup);
  return {
    ok: startupSeconds >= possible,
    observed: `${spoken(startupSeconds)} to start`,
    expected: wanted > longestStartup ? `${spoken(possible)}, the maximum in Cloud Run` : spoken(possible),
  };
}

/** Checks whether the request timeout of a service allows the expected request duration. */
export function timeoutOutcome({ requestTimeoutSeconds }: RunService, request_timeout: number): CheckOutcome {
  if (requestTimeoutSeconds === undefined) return unknownOutcome("how long a request may take");
  const wanted = request_timeout / 1_000;
  return {
    ok: requestTimeoutSeconds >= wanted,
    observed: `${spoken(requestTimeoutSeconds)} for a request`,
    expected: `${spoken(wanted)} or more`,
  };
}

/** The checks. */
export const cloudRunChecks: readonly Check[] = [
  serviceCheck({
    name: "cloud_run_ready",
    severity: "critical",
    tells: ["deployed"],
    title: "the service is ready",
    why: "A service that is not ready answers no requests, or serves them from an older revision.",
    remedy:
      "Read the logs of its newest revision to find out why it does not start. `gcloud run services describe RESOURCE --region=REGION` shows the condition.",
    judge: ({ state, reason }) => {
      if (state === undefined) return unknownOutcome("whether it is ready");
      const ok = state === "CONDITION_SUCCEEDED";
      const because = ok || reason === undefined ? "" : ` (${reason})`;
      return { ok, observed: ok ? "ready" : `${state}${because}`, expected: "ready" };
    },
  }),
  serviceCheck({
    name: "cloud_run_revision",
    severity: "warning",
    tells: ["deployed"],
    title: "the newest revision of the service is the ready one",
    why: "If the newest revision is not ready, the last deployment failed or is still in progress, and an older revision serves the requests.",
    remedy: "Find out why the newest revision does not start, or roll it back.",
    judge: ({ latestReady, latestCreated }) => {
      if (latestCreated === undefined) return unknownOutcome("which revision is the newest");
      if (latestReady === latestCreated)
        return { ok: true, observed: latestReady, expected: "the newest revision ready" };
      const ready = latestReady === undefined ? "none is ready" : `${latestReady} is ready`;
      return { ok: false, observed: `${latestCreated} is the newest, ${ready}`, expected: "the newest revision ready" };
    },
  }),
  serviceCheck({
    name: "cloud_run_traffic",
    severity: "info",
    title: "all requests go to the newest revision",
    why: "If traffic is pinned to a revision, deploying a fix changes nothing for users.",
    remedy: "Send all traffic to the latest revision, unless the pinning is intended.",
    judge: ({ traffic, latestReady }) => {
      if (traffic.length === 0) return unknownOutcome("which revision receives its requests");
      const held = traffic.filter(
        ({ latest, revision, percent }) => percent > 0 && !latest && revision !== latestReady,
      );
      const observed = traffic.map(({ percent, revision }) => `${percent} % to ${revision}`).join(", ");
      return { ok: held.length === 0, observed, expected: "100 % to the newest revision" };
    },
  }),
  serviceCheck({
    name: "cloud_run_cpu",
    severity: "warning",
    title: "each instance has at least `cpu`",
    why: "With too little CPU, startups and handshakes exceed their timeouts.",
    remedy: "Raise the CPU limit of the service.",
    wants: ({ cpu }) => cpu,
    judge: ({ cores }, cpu) => {
      if (cores === undefined) return unknownOutcome("how much CPU it has");
      return { ok: cores >= cpu, observed: `${cores} CPU`, expected: `${cpu} or more` };
    },
  }),
  serviceCheck({
    name: "cloud_run_memory",
    severity: "warning",
    title: "each instance has at least `memory`",
    why: "An instance that exceeds its memory limit is killed, together with its open requests and sockets.",
    remedy: "Raise the memory limit: `gcloud run services update RESOURCE --region=REGION`, with --memory.",
    wants: ({ memory }) => memory,
    judge: (service, memory) => {
      if (service.memory === undefined) return unknownOutcome("how much memory it has");
      return {
        ok: service.memory >= memory,
        observed: mebibytes(service.memory),
        expected: `${mebibytes(memory)} or more`,
      };
    },
  }),
  serviceCheck({
    name: "cloud_run_startup_probe",
    severity: "warning",
    title:
      "its startup probe allows `startup`, or the maximum that Cloud Run allows (initial delay + period x failure threshold)",
    why: "An instance that does not start within the time allowed by its startup probe is killed and restarted.",
    remedy:
      "Raise the failure threshold or the period of the startup probe (up to 240 s together) or its initial delay (up to 240 s).",
    wants: ({ startup }) => startup,
    judge: startupOutcome,
  }),
  serviceCheck({
    name: "cloud_run_startup_ceiling",
    severity: "info",
    title: "`startup` does not exceed what Cloud Run allows: 240 s of initial delay and 240 s of probing",
    why: "Cloud Run allows at most 240 s of initial delay and 240 s of probing.",
    remedy:
      "Shorten the startup, or listen on the port first and do the slow part, such as connecting to the database, afterwards.",
    wants: ({ startup }) => startup,
    judge: (_, startup) => ({
      ok: startup / 1_000 <= longestStartup,
      observed: `${spokenDuration(startup)} wanted`,
      expected: `${spoken(longestStartup)} at most`,
    }),
  }),
  serviceCheck({
    name: "cloud_run_request_timeout",
    severity: "warning",
    tells: ["cuts_off", "hits_some"],
    title: "its request timeout is at least `request_timeout`",
    why: "A request that exceeds the request timeout ends with 504, even if the response has already started.",
    remedy: "Raise the request timeout of the service, up to 60 minutes.",
    wants: ({ request_timeout }) => request_timeout,
    judge: timeoutOutcome,
  }),
  serviceCheck({
    name: "cloud_run_service_account",
    severity: "warning",
    title: "it runs as `service_account`, or if that is not set, not as the default service account of the project",
    why: "The service account determines what the service may do. The default account usually has far too many permissions.",
    remedy: "Give the service a service account of its own.",
    judge: ({ serviceAccount }, { service_account }) => {
      if (service_account !== undefined)
        return {
          ok: serviceAccount === service_account,
          observed: serviceAccount ?? "the default account",
          expected: service_account,
        };
      const own = serviceAccount !== undefined && !/-compute@developer\.gserviceaccount\.com$/.test(serviceAccount);
      return { ok: own, observed: serviceAccount ?? "the default account", expected: "an account of its own" };
    },
  }),
  serviceCheck({
    name: "cloud_run_env",
    severity: "critical",
    title: "the environment variables in `env` are set (their values are not read)",
    why: "A service without one of its environment variables usually fails to start or misbehaves.",
    remedy:
      "Set the missing variables: `gcloud run services update RESOURCE --region=REGION`, with --update-env-vars or --update-secrets.",
    wants: ({ env }) => nonEmpty(env),
    judge: ({ env }, wanted) => {
      const missing = wanted.filter((name) => !env.has(name));
      return {
        ok: missing.length === 0,
        observed: missing.length === 0 ? `all ${wanted.length} set` : `not set: ${missing.join(", ")}`,
        expected: `set: ${wanted.join(", ")}`,
      };
    },
  }),
  serviceCheck({
    name: "cloud_run_ingress",
    severity: "critical",
    tells: ["hits_some"],
    title: "its ingress setting matches `ingress`, and admits the load balancer that routes to it",
    why: "Requests from sources that the ingress setting does not allow are refused with 404.",
    remedy:
      "Admit the load balancer: `gcloud run services update RESOURCE --region=REGION --ingress=internal-and-cloud-load-balancing`.",
    wants: ({ name, ingress }, { load_balancer }) =>
      ingress ?? (load_balancer?.backends.some(({ service }) => service === name) ? "any-but-internal" : undefined),
    judge: ({ ingress = ingressTexts.all }, wanted) => {
      if (wanted !== "any-but-internal")
        return {
          ok: ingress === ingressTexts[wanted],
          observed: ingress,
          expected: ingressTexts[wanted],
          ...(ingress === ingressTexts[wanted] ? {} : { advice: ingressAdvice[wanted] }),
        };
      const ok = ingress !== ingressTexts.internal;
      return { ok, observed: ingress, expected: "a setting that admits the load balancer" };
    },
  }),
  serviceCheck({
    name: "cloud_run_vpc_access",
    severity: "critical",
    tells: ["no_path"],
    title: "it reaches the VPC as set in `vpc_access`",
    why: "Without access to the VPC, every connection to a private address times out, regardless of load.",
    remedy:
      "Restore the access: `gcloud run services update RESOURCE --region=REGION`, with --vpc-connector, or with --network and --subnet.",
    wants: wantedAccess,
    judge: (service, access, settings) => {
      const connector = settings.vpc_connector?.name;
      const actual = vpcAccessOf(service);
      const same = access !== "connector" || connector === undefined || service.connector === connector;
      const expected =
        access === "connector" && connector !== undefined ? `the connector ${connector}` : accessTexts[access];
      const observed = actual === "connector" ? `the connector ${service.connector}` : accessTexts[actual];
      const ok = actual === access && same;
      const advice = `Restore the connector: \`gcloud run services update RESOURCE --region=REGION --vpc-connector=${connector}\`.`;
      return { ok, observed, expected, ...(ok || access !== "connector" || connector === undefined ? {} : { advice }) };
    },
  }),
  serviceCheck({
    name: "cloud_run_egress",
    severity: "warning",
    tells: ["no_path", "hits_some"],
    title: "its VPC egress setting matches `egress`; the default of Cloud Run is private ranges only",
    why: "The egress setting determines whether all traffic or only traffic to private addresses goes through the VPC.",
    remedy: "Deploy the service with the intended --vpc-egress.",
    wants: ({ egress }) => egress,
    judge: (service, egress) => {
      if (vpcAccessOf(service) === "none") return { ok: false, observed: accessTexts.none, expected: egress };
      const actual = service.allTraffic ? "all-traffic" : "private-ranges-only";
      return { ok: actual === egress, observed: actual, expected: egress };
    },
  }),
  serviceCheck({
    name: "cloud_run_max_instances",
    severity: "warning",
    title: "its maximum number of instances is at most `max_instances`",
    why: "Every instance has its own connection pool, so the number of instances determines whether the database reaches its limit.",
    remedy: "Lower the maximum number of instances of the service.",
    wants: ({ max_instances }) => max_instances,
    judge: ({ maxInstances }, max_instances) => ({
      ok: maxInstances !== undefined && maxInstances <= max_instances,
      observed: maxInstances === undefined ? "no maximum set" : `at most ${maxInstances} instances`,
      expected: `at most ${max_instances}`,
    }),
  }),
  serviceCheck({
    name: "cloud_run_concurrency",
    severity: "warning",
    title: "its concurrency is at most `concurrency` requests per instance",
    why: "The requests in one instance share its CPU and its connection pool: with too many at once, they wait for each other.",
    remedy: "Lower the concurrency of the service, or give its instances more CPU and memory.",
    wants: ({ concurrency }) => concurrency,
    judge: (service, concurrency) => {
      if (service.concurrency === undefined) return unknownOutcome("how many requests an instance handles at once");
      const observed = `${service.concurrency} requests at once`;
      return { ok: service.concurrency <= concurrency, observed, expected: `at most ${concurrency}` };
    },
  }),
  {
    name: "cloud_run_instance_cap",
    severity: "warning",
    tells: ["hits_some"],
    title: "a service that may have several instances stayed below its maximum in the last 15 minutes",
    why: "A service at its maximum number of instances queues further requests and answers 429 to those that wait too long.",
    remedy:
      "Raise the maximum as far as the connections of the database allow (`gcloud run services update RESOURCE --region=REGION --max-instances=…`), or the concurrency, or shorten requests.",
    reads: ["cloud_run", "time_series"],
    judge: (settings, { services, peaks }) =>
      settings.services.flatMap(({ name, component, region = settings.region }) =>
        judgementsOf({ resource: name, component }, both(services.get(name), peaks), ([{ maxInstances }, all]) => {
          const most = maxInstances ?? usualMaximum;
          const peak = all.get(`${region}/${name}`) ?? 0;
          if (most === 1) return undefined;
          return { ok: peak < most, observed: `${peak} of ${most} instances in use`, expected: `fewer than ${most}` };
        }),
      ),
  },
];

const ingressTexts = {
  all: "INGRESS_TRAFFIC_ALL",
  internal: "INGRESS_TRAFFIC_INTERNAL_ONLY",
  "internal-and-load-balancing": "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER",
} as const;

const ingressAdvice = {
  all: "Allow requests from everywhere: `gcloud run services update RESOURCE --region=REGION --ingress=all`.",
  internal: "Allow internal requests only: `gcloud run services update RESOURCE --region=REGION --ingress=internal`.",
  "internal-and-load-balancing":
    "Admit the load balancer: `gcloud run services update RESOURCE --region=REGION --ingress=internal-and-cloud-load-balancing`.",
} as const;

const accessTexts = {
  connector: "a VPC connector",
  direct: "Direct VPC egress",
  none: "no access to the VPC",
} as const;

function mebibytes(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MiB`;
}

/** A check of an individual service. */
export function serviceCheck<Wanted = ServiceSettings>({
  wants,
  judge,
  ...description
}: ExpectationCheck<RunService, ServiceSettings, Wanted>): Check {
  return {
    ...description,
    reads: ["cloud_run"],
    judge: (settings, { services }) =>
      settings.services.flatMap((own) => {
        const wanted = expectation(wants, own, settings);
        if (wanted === undefined) return [];
        const subject = { resource: own.name, component: own.component };
        return judgementsOf(subject, services.get(own.name), (service) => judge(service, wanted, settings));
      }),
  };
}
