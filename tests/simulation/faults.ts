/** Faults of a run, as data: drawn before the run, removable one by one, and describable as a story. */
import type { Topic } from "../../shared/topology.ts";
import type { Edit } from "./operators.ts";
import type { ReceiverFailure } from "./receivers.ts";
import type { Change } from "./rollout.ts";

/** The functions, each of which has several instances. */
export const functions = ["probe", "evaluate", "notify"] as const;

/** One of the functions. */
export type FunctionName = (typeof functions)[number];

/** A slot for successive instances: `evaluate 2`. When an instance crashes, another one replaces it. */
export interface Slot {
  readonly function: FunctionName;
  /** From 1. */
  readonly number: number;
}

/** A step of a slot: a call of a port, counted from 1 over all instances in the slot. */
export interface StepOf {
  readonly slot: Slot;
  readonly step: number;
}

/** A message, by its position among all of its topic, from 1. */
export interface MessageOf {
  readonly topic: Topic;
  readonly message: number;
}

/** One fault. Times in milliseconds; instants are relative to the start of the run. */
export type Fault =
  /** The instance crashes before its step, after it, or, in a publication, when only part of it has been published. */
  | ({ readonly fault: "death"; readonly moment: "before" | "after" | "between" } & StepOf)
  /** The step succeeds, but its response is lost: a call of the store or a publication. */
  | ({ readonly fault: "lost answer" } & StepOf)
  /** The step is refused and may be retried. */
  | ({ readonly fault: "refusal" } & StepOf)
  /** Others write concurrently for longer than the store retries. */
  | ({ readonly fault: "contention" } & StepOf)
  /** Only some of several messages are published, and the call fails. */
  | ({ readonly fault: "partial publication" } & StepOf)
  /** The step takes longer. */
  | ({ readonly fault: "stall"; readonly by: number } & StepOf)
  /** The store is unavailable. */
  | { readonly fault: "store outage"; readonly at: number; readonly for: number }
  | ({ readonly fault: "duplicate"; readonly by: number } & MessageOf)
  | ({ readonly fault: "delay"; readonly by: number } & MessageOf)
  /** The message is processed and redelivered, because its acknowledgement is lost. */
  | ({ readonly fault: "lost acknowledgement" } & MessageOf)
  /** The clock of a slot is wrong throughout the run. */
  | { readonly fault: "clock skew"; readonly slot: Slot; readonly by: number }
  /** The clock of a slot is wrong for a while. */
  | {
      readonly fault: "clock jump";
      readonly slot: Slot;
      readonly at: number;
      readonly by: number;
      readonly for: number;
    }
  /** An attempt to reach a reader fails; readers and their attempts are counted from 0. */
  | {
      readonly fault: "receiver failure";
      readonly reader: number;
      readonly attempt: number;
      readonly failure: NonNullable<ReceiverFailure>;
    }
  /** Without a reader, no notice is delivered: the network of the notifiers is down. */
  | { readonly fault: "receiver outage"; readonly reader?: number; readonly at: number; readonly for: number }
  | { readonly fault: "edit"; readonly at: number; readonly edit: Edit }
  /** A configuration is deployed, to one slot after another. */
  | { readonly fault: "configuration change"; readonly change: Change; readonly over: number };

/** A kind of fault. */
export type FaultKind = Fault["fault"];

/** Returns the name of a slot. */
export function slotName({ function: name, number }: Slot): string {
  return `${name} ${number}`;
}

/** Describes a fault. */
export function describeFault(fault: Fault): string {
  switch (fault.fault) {
    case "death":
      return `${slotName(fault.slot)} dies ${fault.moment === "between" ? "in the middle of" : fault.moment} its step ${fault.step}`;
    case "lost answer":
      return `the answer to step ${fault.step} of ${slotName(fault.slot)} is lost`;
    case "refusal":
      return `step ${fault.step} of ${slotName(fault.slot)} is refused`;
    case "contention":
      return `step ${fault.step} of ${slotName(fault.slot)} loses to others`;
    case "partial publication":
      return `step ${fault.step} of ${slotName(fault.slot)} publishes a part`;
    case "stall":
      return `step ${fault.step} of ${slotName(fault.slot)} takes ${fault.by} ms longer`;
    case "store outage":
      return `the store is away from ${clock(fault.at)} for ${fault.for / 1000} s`;
    case "duplicate":
      return `message ${fault.message} on ${fault.topic} comes again ${fault.by} ms later`;
    case "delay":
      return `message ${fault.message} on ${fault.topic} comes ${fault.by} ms later`;
    case "lost acknowledgement":
      return `message ${fault.message} on ${fault.topic} is processed, and the acknowledgement is lost`;
    case "clock skew":
      return `the clock of ${slotName(fault.slot)} is wrong by ${fault.by} ms`;
    case "clock jump":
      return `the clock of ${slotName(fault.slot)} jumps by ${fault.by} ms at ${clock(fault.at)} for ${fault.for / 1000} s`;
    case "receiver failure":
      return `attempt ${fault.attempt + 1} at reader ${fault.reader + 1}: ${fault.failure}`;
    case "receiver outage":
      return `${fault.reader === undefined ? "every reader" : `reader ${fault.reader + 1}`} refuses everything from ${clock(fault.at)} for ${fault.for / 1000} s`;
    case "edit":
      return `at ${clock(fault.at)} an operator ${fault.edit.description}`;
    case "configuration change":
      return `at ${clock(fault.change.at)} ${fault.change.description}, in all instances after ${fault.over} ms`;
  }
}

function clock(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000);
  return `${Math.floor(seconds / 60)}m${String(seconds % 60).padStart(2, "0")}s`;
}

/** The faults of a run, indexed by the step that they strike, and those that have struck. */
export class Faults {
  readonly all: readonly Fault[];
  readonly struck: Set<Fault> = new Set();
  readonly #byPlace = new Map<string, Fault[]>();

  constructor(all: readonly Fault[]) {
    this.all = all;
    for (const fault of all) {
      const place = placeOf(fault);
      if (place === undefined) continue;
      const known = this.#byPlace.get(place);
      if (known === undefined) this.#byPlace.set(place, [fault]);
      else known.push(fault);
    }
  }

  /** Returns the faults of one kind that strike by time or from the start. */
  of<Kind extends FaultKind>(kind: Kind): readonly (Fault & { readonly fault: Kind })[] {
    return this.all.filter((fault): fault is Fault & { readonly fault: Kind } => fault.fault === kind);
  }

  ofStep(slot: string, step: number): readonly Fault[] {
    return this.#byPlace.get(`${slot}/${step}`) ?? none;
  }

  ofMessage(topic: Topic, message: number): readonly Fault[] {
    return this.#byPlace.get(`${topic}#${message}`) ?? none;
  }

  ofAttempt(reader: number, attempt: number): readonly Fault[] {
    return this.#byPlace.get(`reader ${reader}/${attempt}`) ?? none;
  }
}

const none: readonly Fault[] = [];

function placeOf(fault: Fault): string | undefined {
  if ("step" in fault) return `${slotName(fault.slot)}/${fault.step}`;
  if ("message" in fault) return `${fault.topic}#${fault.message}`;
  if ("attempt" in fault) return `reader ${fault.reader}/${fault.attempt}`;
  return undefined;
}
