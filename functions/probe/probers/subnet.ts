/** The prober `subnet`: the number of addresses in use in a subnet, according to the Compute Engine API. */
import { z } from "zod";
import { googleResource } from "../../../shared/config/fields.ts";
import { readingPhase } from "../../../shared/messages/report.ts";
import { lazily } from "../../../shared/runtime/lazily.ts";
import { googleReads } from "../google/permissions.ts";
import { regional } from "../google/readings.ts";
import { ask, refusalOf } from "../google/refusal.ts";
import { computeResource } from "../google/watched.ts";
import type { SeenFailure } from "../net/faults.ts";
import type { Prober } from "../prober.ts";
import { always } from "../yields.ts";

const settings = lazily(() =>
  z.strictObject({
    ...regional(),
    subnet: googleResource().describe("The name of the subnet."),
  }),
);

/** Settings of a `subnet` probe. */
export type SubnetSettings = z.output<ReturnType<typeof settings>>;

/** The addresses of the primary range. */
export interface SubnetObservation {
  readonly failure?: SeenFailure;
  readonly used?: number;
  readonly free?: number;
}

/** The prober `subnet`. */
export const subnet: Prober<SubnetSettings, SubnetObservation> = {
  kind: "subnet",
  title:
    "Reads from the Compute Engine API how many addresses of a subnet are in use. Instances with Direct VPC egress, connectors and machines take their addresses from it.",
  role: "subnet",
  reach: "control_plane",
  get settings() {
    return settings();
  },
  example: `project: shop-staging
region: us-central1
subnet: shop-subnet
`,
  notes: `Only the primary range counts. Cloud Run with Direct VPC egress uses two addresses for each instance, and keeps them for a while after the
instance has ended. A success only means that the subnet could be read: to alert, write a rule on \`subnet_address_utilization\`. The probe requires
\`compute.subnetworks.get\`, as in \`roles/compute.networkViewer\`.`,
  secondhand: true,
  usualSeconds: 0.3,
  looksAt: ({ subnet, project }) => computeResource("subnetworks", subnet, project),
  reads: ["subnet"],
  yields: () => always("subnet_address_utilization", "subnet_free_addresses"),

  async observe({ project, region, subnet: name }, world) {
    const { api: service, permission, role } = googleReads.subnet;
    const path = `projects/${project}/regions/${region}/subnetworks/${name}`;
    const url = `https://compute.googleapis.com/compute/v1/${path}?views=WITH_UTILIZATION`;
    try {
      const primary = primaryRangeIn(await ask({ url }, world));
      if (primary) return primary;
      const message = `Compute Engine did not report how many addresses of ${name} are in use`;
      return { failure: { kind: "protocol", phase: readingPhase, message } };
    } catch (error) {
      const access = { api: "Compute Engine", service, project, permission, role };
      return { failure: refusalOf(error, access, world.signal) };
    }
  },

  assess(_settings, { failure, used, free }) {
    if (failure || used === undefined || free === undefined)
      return { ...(failure ? { failure } : {}), measurements: [] };
    const all = used + free;
    return {
      measurements: [
        { metric: "subnet_free_addresses", value: free },
        ...(all === 0 ? [] : [{ metric: "subnet_address_utilization" as const, value: used / all }]),
      ],
    };
  },
};

/** The part of the answer that is read; 64-bit integers are texts. @see Compute API v1, `subnetworks.get` */
const answer = lazily(() =>
  z.object({
    utilizationDetails: z.object({
      ipv4Utilizations: z.array(
        z.object({
          rangeName: z.string().optional(),
          totalAllocatedIp: z.coerce.number().optional(),
          totalFreeIp: z.coerce.number(),
        }),
      ),
    }),
  }),
);

/** The primary range has no name. */
function primaryRangeIn(json: unknown): { readonly used: number; readonly free: number } | undefined {
  const read = answer().safeParse(json);
  if (!read.success) return undefined;
  const primary = read.data.utilizationDetails.ipv4Utilizations.find(({ rangeName = "" }) => rangeName === "");
  return primary && { used: primary.totalAllocatedIp ?? 0, free: primary.totalFreeIp };
}
