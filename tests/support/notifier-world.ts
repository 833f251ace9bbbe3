/** A world in which events of incidents arrive and the notifier sends them, on virtual time and under faults. */
import { VirtualWorld, type WorldOptions } from "../../cli/virtual/world.ts";
import { type Delivery, parseDelivery } from "../../functions/notify/deliver/ledger.ts";
import type { Send } from "../../functions/notify/deliver/send.ts";
import { incidentEvent } from "../../functions/notify/fixtures.ts";
import type { IncidentEvent, IncidentEventKind } from "../../shared/messages/incident-event.ts";
import { type Fate, FaultyPorts } from "./faulty-ports.ts";

/** Start of these worlds, in milliseconds since the epoch. */
export const start: number = Date.parse("2025-09-16T12:00:00Z");
/** In milliseconds. */
export const minute = 60_000;

/** Events of an incident, with the minutes after its start. */
export type Course = readonly (readonly [IncidentEventKind, number, Partial<IncidentEvent>])[];

/** Options: the receivers, the crashes of the notifier, and a callback for each ledger entry that it writes. */
export interface NotifierOptions extends Pick<WorldOptions, "configuration" | "arrivals"> {
  readonly send: Send;
  readonly fate: Fate | undefined;
  readonly onEntry: (delivery: Delivery) => void;
}

/** Creates the world, with faults between the functions and their ports. */
export function notifierWorld({ send, fate, onEntry, ...options }: NotifierOptions): {
  readonly world: VirtualWorld;
  readonly faults: FaultyPorts;
} {
  const faults = new FaultyPorts(fate);
  const world = new VirtualWorld({
    ...options,
    start,
    watchesItself: false,
    send: faults.sending(send),
    between: faults.between,
    onDelivery: faults.onDelivery,
    onWritten: (collection, _, fields) => {
      const delivery = collection === "deliveries" ? parseDelivery(fields) : undefined;
      if (delivery !== undefined) onEntry(delivery);
    },
  });
  return { world, faults };
}

/** Publishes the events of an incident of the shop's database, each at its time. */
export async function announce(
  world: VirtualWorld,
  incident: string,
  begins: number,
  course: Course,
): Promise<IncidentEvent[]> {
  await world.store.set("incidents", incident, { title: "Shop: Database failing" });
  return course.map(([event, after, changes], index) => {
    const at = begins + after * minute;
    const announced = incidentEvent({
      environment: "shop",
      incident,
      event,
      at: new Date(at).toISOString(),
      sequence: index + 1,
      components: ["database"],
      alerts: ["database failing"],
      opened_at: new Date(begins).toISOString(),
      ...changes,
    });
    world.notification(announced, at);
    return announced;
  });
}
