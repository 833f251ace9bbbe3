/** What was seen of a component, with its signal and its strength. */
import type { Signal } from "../../../shared/messages/report.ts";
import type { Symptom } from "./diagnosis.ts";
import type { SymptomClass } from "./knowledge/classes.ts";

/** A symptom with its classes, and how much it counts, from 0 to 1. */
export interface Weighed {
  readonly symptom: Symptom;
  readonly classes: readonly SymptomClass[];
  readonly weight: number;
}

/** What one symptom shows: a signal and how strong it is, from 0 to 1. */
export interface Fact {
  readonly of: Weighed;
  readonly signal: Signal;
  readonly strength: number;
}
