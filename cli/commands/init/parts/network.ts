/** The ways of services into the VPC: connectors, and subnets of Direct VPC egress. */
import { nameIn } from "../../../../functions/probe/google/configuration/json.ts";
import type { Drafting } from "../draft.ts";
import type { Found, FoundConnector, FoundService } from "../found.ts";
import { regionName, resourceName } from "../reading.ts";
import { type Context, connectorComponent, subnetComponent } from "./keys.ts";

/** Alert and clear durations for Google's metrics, which are one-minute averages and minutes late. */
export const ofLoad = { alert_duration: "3m", clear_duration: "2m", severity: "warning" } as const;

/** Alert duration for partial request errors. Probes detect a complete failure within minutes. */
export const ofErrors = { ...ofLoad, alert_duration: "10m" } as const;

/** Adds the connectors and subnets that services use. */
export function draftNetwork({ found, draft }: Context): void {
  const used = new Map(
    found.services.flatMap((service) => {
      const connector = connectorOf(service, found);
      return connector === undefined ? [] : [[`${connector.region}/${connector.name}`, connector] as const];
    }),
  );
  const listed = new Map(found.connectors.map((connector) => [`${connector.region}/${connector.name}`, connector]));
  const connectors = [...new Map([...used, ...listed]).values()];
  for (const connector of connectors) draftConnector(connector, connectors.length === 1, { found, draft });
  const subnets = new Map(
    found.services.flatMap((service) => {
      const subnet = subnetOf(service, found);
      return subnet === undefined ? [] : [[`${subnet.region}/${subnet.name}`, subnet] as const];
    }),
  );
  for (const { name, region, project } of subnets.values()) {
    const component = subnetComponent(name, region, draft);
    draft.addComponent(component, { title: `Subnet ${name}`, layer: "platform", role: "subnet" }, [
      "The subnet from which instances take their addresses (Direct VPC egress).",
    ]);
    draft.addProbe(`${name}-addresses`, {
      kind: "subnet",
      component,
      ...(project === found.project ? {} : { project }),
      ...elsewhere(region, found),
      schedule: "every 5m",
      alert: "off",
      subnet: name,
    });
    draft.addRule("Addresses Are Running Out", {
      condition: "subnet_address_utilization > 85%",
      alert_duration: "5m",
      severity: "warning",
    });
  }
  for (const service of found.services) {
    const { connectorPath } = service;
    const project = foreignProject(connectorPath, found.project);
    if (project === undefined) continue;
    draft.note(
      `The VPC connector ${nameIn(connectorPath ?? "")} of ${service.name} is in the project ${project}: add a component with a probe of the kind vpc_connector and project: ${project}.`,
    );
  }
}

function draftConnector(
  { name, region, machineType, maxInstances }: FoundConnector,
  isOnly: boolean,
  { found, draft }: Context,
): void {
  const component = connectorComponent({ name, region }, draft);
  draft.addComponent(component, { title: `VPC connector ${name}`, layer: "platform", role: "connector" }, [
    "The path of services into the VPC network, to targets with private addresses.",
  ]);
  const known = ["f1-micro", "e2-micro", "e2-standard-4"].find((type) => type === machineType);
  draft.addProbe(`${name}-load`, {
    kind: "vpc_connector",
    component,
    ...elsewhere(region, found),
    alert: "off",
    connector: name,
    ...(known === undefined ? {} : { machine_type: known }),
    ...(maxInstances !== undefined && maxInstances >= 2 && maxInstances <= 10 ? { max_instances: maxInstances } : {}),
  });
  // Application metrics about a connector are attributed only if there is exactly one connector. With several, the target is ambiguous.
  const own = isOnly ? "" : `{component="${component}"}`;
  draft.addRule(`${component} Is Near Capacity`, {
    component,
    condition: `vpc_connector_utilization${own} > 70%`,
    ...ofLoad,
  });
  draft.addBaseline("vpc_connector_utilization", "<70%");
}

/** The connector of a service: as it was listed, else as the service names it. `undefined` for one of another project. */
export function connectorOf(service: FoundService, found: Found): FoundConnector | undefined {
  const { connectorPath } = service;
  const name = resourceName(connectorPath);
  if (name === undefined || foreignProject(connectorPath, found.project) !== undefined) return undefined;
  const region = regionName(/\/locations\/([^/]+)\//.exec(connectorPath ?? "")?.[1]) ?? service.region;
  const listed = found.connectors.find((connector) => connector.name === name && connector.region === region);
  return listed ?? { name, region, machineType: undefined, maxInstances: undefined, network: undefined };
}

/** The subnet of Direct VPC egress of a service. */
export function subnetOf(
  { run, region }: FoundService,
  { project }: Found,
): { readonly name: string; readonly region: string; readonly project: string } | undefined {
  const name = run.directVpc ? resourceName(run.subnet) : undefined;
  if (name === undefined) return undefined;
  return { name, region, project: /projects\/([a-z][a-z0-9-]{4,28}[a-z0-9])\//.exec(run.subnet ?? "")?.[1] ?? project };
}

/** The component by which a service comes into the VPC. */
export function connectionPath(service: FoundService, found: Found, draft: Drafting): string | undefined {
  const connector = connectorOf(service, found);
  if (connector !== undefined) return connectorComponent(connector, draft);
  const subnet = subnetOf(service, found);
  return subnet === undefined ? undefined : subnetComponent(subnet.name, subnet.region, draft);
}

/** The region of a probe, where it is not that of the file. */
export function elsewhere(region: string | undefined, found: Found): { readonly region?: string } {
  return region === undefined || region === found.region ? {} : { region };
}

function foreignProject(path: string | undefined, project: string): string | undefined {
  const [, own] = /^projects\/([a-z][a-z0-9-]{4,28}[a-z0-9])\//.exec(path ?? "") ?? [];
  return own === project ? undefined : own;
}
