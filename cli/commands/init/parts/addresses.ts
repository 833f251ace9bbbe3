/** Probes of targets that have an address: HTTP and WebSocket services, databases and caches. */
import type { Address } from "../addresses/address.ts";
import { type Endpoint, type Health, type Sighting, wantsLogin } from "../addresses/endpoint.ts";
import type { Drafting, Settings } from "../draft.ts";

/** Component and TLS settings for the probes of an endpoint. */
export interface Owner {
  readonly component: string;
  /** Base name of its probes: the component name if the component has only one address. */
  readonly name: string;
  /** The component of its certificate. */
  readonly certificate: string | undefined;
  /** Secret with the private certificate authority of its certificate, if it has one. */
  readonly ca: string | undefined;
  /** True if no other probe shows the state of the component. */
  readonly alone: boolean;
  /** The component is a WebSocket itself. */
  readonly isSocket?: boolean;
}

/** Adds the probes of an endpoint. @param seen the result of inspecting it; without it, the most likely settings are used */
export function draftEndpoint(endpoint: Endpoint, seen: Sighting | undefined, owner: Owner, draft: Drafting): void {
  const { origin, path } = endpoint;
  const { component, name, ca } = owner;
  const isSecure = origin.startsWith("https:");
  if (endpoint.isSocket) {
    // Probe it even if it did not respond, because the user specified it.
    const open = { path: path ?? "/", status: 101 };
    draftSockets(endpoint, { ...seen, sockets: [open, ...(seen?.sockets ?? [])] }, owner, draft);
    if (isSecure && owner.certificate !== undefined) draftCertificate(endpoint, owner, draft);
    return;
  }
  const tls = isSecure ? trustOf(ca, seen) : {};
  const health = seen?.health;
  const request = (asked: string): Settings => ({ kind: "http", component, url: `${origin}${asked}`, ...tls });
  const remarks = [
    ...(seen?.untrusted ? [untrusted(origin)] : []),
    ...(health === undefined && path === undefined
      ? ["No health check was found: any response that is not a server error counts as healthy."]
      : []),
  ];
  if (health !== undefined && wantsLogin(health.status)) {
    if (owner.alone) {
      const settings = { ...request(health.path), expect: { status: ["2xx", health.status] } };
      const advice = "It requires a login, so this only shows that the server responds.";
      draft.proveBy("basic health", draft.addProbe(name, settings, [...remarks, advice]));
    }
    draft.addTemplate({
      wanted: name,
      says: [
        `${origin}${health.path} answered ${health.status}: it requires a login. For a private Cloud Run service, set id_token and grant the probe's service account roles/run.invoker. For others, set a header: headers: { authorization: { secret: NAME } }.`,
      ],
      settings: {
        ...request(health.path),
        ...(isSecure ? { id_token: origin } : { headers: { authorization: { secret: "health-token" } } }),
      },
    });
  } else {
    const expected = health === undefined ? {} : expectationsOf(health);
    const settings =
      health === undefined && path === undefined
        ? { ...request("/"), expect: { status: "200-499" } }
        : { ...request(health?.path ?? path ?? "/"), ...expected, ...extractionsOf(health) };
    draft.proveBy("basic health", draft.addProbe(name, settings, remarks));
  }
  for (const figure of seen?.figures ?? [])
    draft.addProbe(`${name}-figures`, { ...request(figure.path), alert: "off", ...extractionsOf(figure) }, [
      "The application's own status, to extract metrics from.",
    ]);
  draftSockets(endpoint, seen, owner, draft);
  if (isSecure && owner.certificate !== undefined) draftCertificate(endpoint, owner, draft);
}

function expectationsOf({ status, json }: Health): Settings {
  const usual = status >= 200 && status < 300;
  const expect = {
    ...(usual ? {} : { status: status < 500 ? "200-499" : "2xx" }),
    ...(json.length === 0 ? {} : { json: Object.fromEntries(json) }),
  };
  return Object.keys(expect).length === 0 ? {} : { expect };
}

function extractionsOf(health: Health | undefined): Settings {
  if (health === undefined || health.metrics.length === 0) return {};
  return { extract: health.metrics.map((metric) => ({ ...metric, required: false })) };
}

function draftSockets({ origin }: Endpoint, seen: Sighting | undefined, owner: Owner, draft: Drafting): void {
  const { component, name, ca, isSocket = false } = owner;
  const tls = origin.startsWith("https:") ? trustOf(ca, seen) : {};
  const url = (path: string): string => `${origin.replace(/^http/, "ws")}${path}`;
  const sockets = seen?.sockets ?? [];
  const open = sockets.find(({ status }) => status === 101);
  const closed = sockets.find(({ status }) => wantsLogin(status));
  if (open === undefined && closed === undefined) return;
  const socket = isSocket ? component : draft.component(`websocket/${origin}`, `${component}-websocket`);
  const script = [{ name: "welcome", expect: [{ json: { "$.type": "welcome" } }], within: "5s" }];
  if (open !== undefined) {
    if (!draft.hasComponent(socket)) draft.addComponent(socket, { layer: "application", role: "websocket" });
    draft.depend(socket, component);
    const probe = draft.addProbe(isSocket ? name : `${name}-websocket`, {
      kind: "websocket",
      component: socket,
      url: url(open.path),
      ...tls,
    });
    draft.proveBy("websocket", probe);
    draft.addBaseline("websocket_connection_success", "100%");
  }
  if (closed !== undefined)
    draft.addTemplate({
      wanted: `${name}-socket`,
      says: [
        `A WebSocket that requires a login: store a long-lived token in the secret, and write the expected messages in script, step by step.`,
      ],
      settings: {
        kind: "websocket",
        component: open === undefined ? component : socket,
        url: url(closed.path),
        ...tls,
        token: { secret: "websocket-token" },
        script,
      },
    });
}

function draftCertificate({ origin }: Endpoint, { certificate, name, ca }: Owner, draft: Drafting): void {
  const { hostname, port } = new URL(origin);
  const probe = draft.addProbe(`${name}-certificate`, {
    kind: "tls",
    component: certificate,
    severity: "critical",
    host: hostname,
    ...(port === "" ? {} : { port: Number(port) }),
    ...(ca === undefined ? {} : { tls: { ca: { secret: ca } } }),
    min_validity: "2d",
  });
  draft.proveBy("basic health", probe);
  draft.addRule(
    certificate === "certificates" ? "Certificate Expires Soon" : `Certificate Expires Soon: ${certificate}`,
    {
      condition: `tls_certificate_expiry{component="${certificate}"} < 14d`,
      alert_duration: "1h",
      severity: "warning",
    },
  );
}

/**
 * Returns the TLS verification settings of an endpoint: by the given authority, else by the system's, or disabled where verification cannot
 * succeed.
 */
function trustOf(ca: string | undefined, seen: Sighting | undefined): Settings {
  if (ca !== undefined) return { tls: { ca: { secret: ca } } };
  return seen?.untrusted ? { tls: { insecure: true } } : {};
}

function untrusted(origin: string): string {
  return `The certificate of ${origin} was issued by an authority that this machine does not trust, so it is not verified here. If the authority is your own, store its certificate (PEM) in a secret and set tls: { ca: { secret: NAME } }, or run init with --ca NAME.`;
}

/** Adds the probe of a database or a cache. @param path the component of the connection path to it, if there is one */
export function draftAddress(
  address: Address,
  component: string,
  draft: Drafting,
  { path }: { readonly path?: string | undefined } = {},
): void {
  const { speaks, secret, holds, inside, host, port, user, tls } = address;
  if (secret !== undefined) draft.needSecret(secret, holds);
  const common = { component, ...(inside ? { vantage: "inside" } : {}), timeout: "5s" };
  if (speaks === "redis") {
    const probe = draft.addProbe(component, {
      kind: "redis",
      ...common,
      host,
      ...(port === undefined ? {} : { port }),
      ...(tls ? { tls: true } : {}),
      ...(secret === undefined ? {} : { ...(user === undefined ? {} : { user }), password: { secret } }),
    });
    draft.proveBy("basic health", probe);
    return;
  }
  // New connections are what a failing path loses first.
  const burst = inside && path !== undefined ? { burst: { connections: 5 } } : {};
  const probe = draft.addProbe(component, {
    kind: "postgres",
    ...common,
    severity: "critical",
    connection: { url: { secret } },
    ...(tls === false ? { tls: "disable" } : {}),
    ...burst,
  });
  draft.proveBy("basic health", probe);
  if (inside && path !== undefined)
    draft.addRule("New Database Connections Are Lost", {
      component: path,
      condition: "database_connect_burst_success < 80%",
      alert_duration: "2m",
      severity: "warning",
    });
  draft.addRule("Database Connections Nearly Used Up", {
    condition: "database_connections > database_connection_limit * 85%",
    alert_duration: "5m",
    severity: "warning",
  });
}
