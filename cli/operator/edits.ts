/** What an operator may do to an incident, as the fields that are written into its document. Pure; commands and pages share it. */
import { parseDuration, spokenDuration } from "../../shared/text/units.ts";
import { WrongUsage } from "../command.ts";
import type { OperatorEdit } from "./edit.ts";

/** The longest note that the timeline keeps whole, in characters. */
const longestNote = 1000;

/** Somebody is working on it. @throws WrongUsage */
export function acknowledgement(status: string): OperatorEdit {
  mustBeOpen(status);
  if (status === "acknowledged") throw new WrongUsage("the incident is acknowledged already");
  return { fields: { status: "acknowledged" }, done: "is acknowledged" };
}

/** Nobody is, after all. @throws WrongUsage */
export function withdrawal(status: string): OperatorEdit {
  mustBeOpen(status);
  if (status !== "acknowledged")
    throw new WrongUsage(`the incident is ${status}: there is no acknowledgement to withdraw`);
  return { fields: { status: "open" }, done: "is not acknowledged any more" };
}

/**
 * No new notices for a while.
 * @param time as `2h`; `undefined` ends a silence
 * @throws WrongUsage
 */
export function silenceEdit(status: string, time: string | undefined, now: number): OperatorEdit {
  if (time === undefined) {
    mustBeOpen(status);
    return { fields: { silenced_until: null }, done: "is not silenced any more" };
  }
  const lasts = parseDuration(time);
  if (lasts === undefined || lasts <= 0) throw new WrongUsage(`--for ${time} is no time: write 30m or 2h`);
  mustBeOpen(status);
  return { fields: { silenced_until: new Date(now + lasts) }, done: `is silenced for ${spokenDuration(lasts)}` };
}

/** A person's words, in the timeline or on the status page. @throws WrongUsage */
export function noteEdit(text: string, isPublic: boolean): OperatorEdit {
  if (text.trim() === "") throw new WrongUsage('the note is empty: write it in quotes, such as "Ana is on it"');
  if (text.length > longestNote)
    throw new WrongUsage(`the note has ${text.length} characters: write at most ${longestNote}`);
  return isPublic
    ? { fields: { public_note: text }, done: "has a new public note" }
    : { fields: { note: text }, done: "has a new note" };
}

/** It is over, whatever the probes say. @throws WrongUsage */
export function resolution(status: string): OperatorEdit {
  mustBeOpen(status);
  return { fields: { status: "resolved" }, done: "is resolved" };
}

/** @throws WrongUsage where the incident is over, so that the edit would have no effect */
function mustBeOpen(status: string): void {
  if (status === "resolved") throw new WrongUsage("the incident is resolved already");
}
