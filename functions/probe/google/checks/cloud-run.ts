/** The checks of individual Cloud Run services. */
import { spokenDuration } from "../../../../shared/text/units.ts";
import type { Check } from "../configuration/check.ts";
import { type Answer, both, type Expecting, expectation, judged, silent, someOf } from "../configuration/judgement.ts";
import type { ServiceSettings } from "../configuration/settings.ts";
import { longestStartup, type RunService, vpcAccessOf, wantedAccess } from "../resources/cloud-run.ts";

/** Maximum number of instances of a Cloud Run service that does not set one. */
export const usualMaximum = 100;

/** Formats seconds for a sentence. */
export function spoken(seconds: number): string {
  return spokenDuration(seconds * 1_000);
}

/** Checks whether the startup probe of a service allows the expected startup time. The maximum of the platform is sufficient. */
export function startupAnswer({ startupSeconds }: RunService, startup: number): Answer {
  const wanted = startup / 1_000;
  const possible = Math.min(wanted, longestStartup);
  return {
    ok: startupSeconds >= possible,
    observed: `${spoken(startupSeconds)} to start`,
    expected: wanted > longestStartup ? `${spoken(possible)}, the most that Cloud Run allows` : spoken(possible),
  };
}

/** Checks whether the request timeout of a service allows the expected request duration. */
export function timeoutAnswer({ requestTimeoutSeconds }: RunService, request_timeout: number): Answer {
  if (requestTimeoutSeconds === undefined) return silent("how long a request may take");
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
    why: "A service that is not ready answers no requests, or answers them by an older revision.",
    remedy:
      "Read the log of its newest revision: it says why it does not start. `gcloud run services describe RESOURCE --region=REGION` shows the condition.",
    judge: ({ state, reason }) => {
      if (state === undefined) return silent("whether it is ready");
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
    why: "When the newest revision is not ready, the last deployment failed or still goes on, and an older one serves.",
    remedy: "Look at why the newest revision does not start, or roll it back.",
    judge: ({ latestReady, latestCreated }) => {
      if (latestCreated === undefined) return silent("which revision is the newest");
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
    why: "Where requests are held at a revision, deploying a mend changes nothing for users.",
    remedy: "Send all traffic to the latest revision, unless it is meant to be held.",
    judge: ({ traffic, latestReady }) => {
      if (traffic.length === 0) return silent("which revision its requests go to");
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
    why: "With too little CPU, starts and handshakes take longer than the time they have.",
    remedy: "Raise the CPU limit of the service.",
    wants: ({ cpu }) => cpu,
    judge: ({ cores }, cpu) => {
      if (cores === undefined) return silent("how much CPU it has");
      return { ok: cores >= cpu, observed: `${cores} CPU`, expected: `${cpu} or more` };
    },
  }),
  serviceCheck({
    name: "cloud_run_memory",
    severity: "warning",
    title: "each instance has at least `memory`",
    why: "An instance that needs more memory than it has is killed, with the requests and the sockets that it holds.",
    remedy: "Raise the memory limit: `gcloud run services update RESOURCE --region=REGION`, with --memory.",
    wants: ({ memory }) => memory,
    judge: (service, memory) => {
      if (service.memory === undefined) return silent("how much memory it has");
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
    why: "An instance that does not start in the time of its start-up probe is killed and begins anew.",
    remedy:
      "Raise the failure threshold or the period of the start-up probe (240 s together) or its initial delay (240 s).",
    wants: ({ startup }) => startup,
    judge: startupAnswer,
  }),
  serviceCheck({
    name: "cloud_run_startup_ceiling",
    severity: "info",
    title: "`startup` does not exceed what Cloud Run allows: 240 s of initial delay and 240 s of probing",
    why: "Cloud Run ends a start after 240 s of initial delay and 240 s of probing, whatever is configured.",
    remedy:
      "Make the start shorter, or listen on the port first and do the slow part, such as the database, after that.",
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
    why: "A request that takes longer than the request timeout is cut with 504, also when its answer is on its way.",
    remedy: "Raise the request timeout of the service; 60 minutes is the most.",
    wants: ({ request_timeout }) => request_timeout,
    judge: timeoutAnswer,
  }),
  serviceCheck({
    name: "cloud_run_service_account",
    severity: "warning",
    title: "it runs as `service_account`, or if that is not set, not as the default service account of the project",
    why: "The service account decides what the service may do; the default one usually may do far too much.",
    remedy: "Set the service account of the service to one of its own.",
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
    why: "A service without one of its environment variables mostly does not start, or not as what it should be.",
    remedy:
      "Set the variables that are missing: `gcloud run services update RESOURCE --region=REGION`, with --update-env-vars or --update-secrets.",
    wants: ({ env }) => someOf(env),
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
    why: "Requests from where the ingress setting does not allow them are refused with 404.",
    remedy:
      "Let the load balancer in: `gcloud run services update RESOURCE --region=REGION --ingress=internal-and-cloud-load-balancing`.",
    wants: ({ name, ingress }, { load_balancer }) =>
      ingress ?? (load_balancer?.backends.some(({ service }) => service === name) ? "any-but-internal" : undefined),
    judge: ({ ingress = ingressWords.all }, wanted) => {
      if (wanted !== "any-but-internal")
        return {
          ok: ingress === ingressWords[wanted],
          observed: ingress,
          expected: ingressWords[wanted],
          ...(ingress === ingressWords[wanted] ? {} : { advice: ingressAdvice[wanted] }),
        };
      const ok = ingress !== ingressWords.internal;
      return { ok, observed: ingress, expected: "one that lets the load balancer in" };
    },
  }),
  serviceCheck({
    name: "cloud_run_vpc_access",
    severity: "critical",
    tells: ["no_path"],
    title: "it reaches the VPC as set in `vpc_access`",
    why: "Without a way into the VPC every connection to a private address runs into its time-out, whatever the load.",
    remedy:
      "Put it back: `gcloud run services update RESOURCE --region=REGION`, with --vpc-connector, or with --network and --subnet.",
    wants: wantedAccess,
    judge: (service, access, settings) => {
      const connector = settings.vpc_connector?.name;
      const actual = vpcAccessOf(service);
      const same = access !== "connector" || connector === undefined || service.connector === connector;
      const expected =
        access === "connector" && connector !== undefined ? `the connector ${connector}` : accessWords[access];
      const observed = actual === "connector" ? `the connector ${service.connector}` : accessWords[actual];
      const ok = actual === access && same;
      const advice = `Put it back: \`gcloud run services update RESOURCE --region=REGION --vpc-connector=${connector}\`.`;
      return { ok, observed, expected, ...(ok || access !== "connector" || connector === undefined ? {} : { advice }) };
    },
  }),
  serviceCheck({
    name: "cloud_run_egress",
    severity: "warning",
    tells: ["no_path", "hits_some"],
    title: "its VPC egress setting matches `egress`; the default of Cloud Run is private ranges only",
    why: "Egress decides whether only private addresses or everything a service asks for goes through the VPC.",
    remedy: "Deploy the service with the --vpc-egress that is meant.",
    wants: ({ egress }) => egress,
    judge: (service, egress) => {
      if (vpcAccessOf(service) === "none") return { ok: false, observed: accessWords.none, expected: egress };
      const actual = service.allTraffic ? "all-traffic" : "private-ranges-only";
      return { ok: actual === egress, observed: actual, expected: egress };
    },
  }),
  serviceCheck({
    name: "cloud_run_max_instances",
    severity: "warning",
    title: "its maximum number of instances is at most `max_instances`",
    why: "Every instance brings a pool of connections: their number is what reaches the limit of the database.",
    remedy: "Set the maximum number of instances of the service.",
    wants: ({ max_instances }) => max_instances,
    judge: ({ maxInstances }, max_instances) => ({
      ok: maxInstances !== undefined && maxInstances <= max_instances,
      observed: maxInstances === undefined ? "no maximum of its own" : `${maxInstances} instances at most`,
      expected: `${max_instances} at most`,
    }),
  }),
  serviceCheck({
    name: "cloud_run_concurrency",
    severity: "warning",
    title: "its concurrency is at most `concurrency` requests per instance",
    why: "Requests of one instance share its CPU and its pool: too many at once wait for each other.",
    remedy: "Lower the concurrency of the service, or raise what an instance has.",
    wants: ({ concurrency }) => concurrency,
    judge: (service, concurrency) => {
      if (service.concurrency === undefined) return silent("how many requests an instance has at once");
      const observed = `${service.concurrency} requests at once`;
      return { ok: service.concurrency <= concurrency, observed, expected: `${concurrency} at most` };
    },
  }),
  {
    name: "cloud_run_instance_cap",
    severity: "warning",
    tells: ["hits_some"],
    title: "a service that may have several instances stayed below its maximum in the last 15 minutes",
    why: "At its most instances a service lets further requests wait, and answers 429 to those that wait too long.",
    remedy:
      "Raise the cap as far as the database has connections for it (`gcloud run services update RESOURCE --region=REGION --max-instances=…`), or the concurrency, or shorten requests.",
    reads: ["cloud_run", "time_series"],
    judge: (settings, { services, peaks }) =>
      settings.services.flatMap(({ name, component, region = settings.region }) =>
        judged({ resource: name, component }, both(services.get(name), peaks), ([{ maxInstances }, all]) => {
          const most = maxInstances ?? usualMaximum;
          const peak = all.get(`${region}/${name}`) ?? 0;
          if (most === 1) return undefined;
          return { ok: peak < most, observed: `${peak} of ${most} instances in use`, expected: `fewer than ${most}` };
        }),
      ),
  },
];

const ingressWords = {
  all: "INGRESS_TRAFFIC_ALL",
  internal: "INGRESS_TRAFFIC_INTERNAL_ONLY",
  "internal-and-load-balancing": "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER",
} as const;

const ingressAdvice = {
  all: "Let requests come from everywhere: `gcloud run services update RESOURCE --region=REGION --ingress=all`.",
  internal: "Let internal requests in only: `gcloud run services update RESOURCE --region=REGION --ingress=internal`.",
  "internal-and-load-balancing":
    "Let the load balancer in: `gcloud run services update RESOURCE --region=REGION --ingress=internal-and-cloud-load-balancing`.",
} as const;

const accessWords = {
  connector: "a VPC connector",
  direct: "Direct VPC egress",
  none: "no way into the VPC",
} as const;

function mebibytes(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MiB`;
}

/** A check of an individual service. */
export function serviceCheck<Wanted = ServiceSettings>({
  wants,
  judge,
  ...words
}: Expecting<RunService, ServiceSettings, Wanted>): Check {
  return {
    ...words,
    reads: ["cloud_run"],
    judge: (settings, { services }) =>
      settings.services.flatMap((own) => {
        const wanted = expectation(wants, own, settings);
        if (wanted === undefined) return [];
        const subject = { resource: own.name, component: own.component };
        return judged(subject, services.get(own.name), (service) => judge(service, wanted, settings));
      }),
  };
}
