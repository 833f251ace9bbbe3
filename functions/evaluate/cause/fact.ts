/** A fact about a component, with its signal and strength. */
import type { Signal } from "../../../shared/messages/report.ts";
import type { Symptom } from "./diagnosis.ts";
import type { SymptomClass } from "./knowledge/classes.ts";

/** A symptom with its classes, and how much it counts, from 0 to 1. */
export interface Weighed {
  readonly symptom: Symptom;
  readonly classes: readonly SymptomClass[];
  readonly weight: number;
}

/** The signal of one symptom, and its strength from 0 to 1. */
export interface Fact {
  readonly of: Weighed;
  readonly signal: Signal;
  readonly strength: number;
}
