/** A draft as a configuration: its text, read back. */
import { type Loaded, loadConfiguration } from "../../../shared/config/load.ts";
import type { Configuration } from "../../../shared/config/model.ts";
import { vocabulary } from "../../vocabulary.ts";
import type { Draft } from "./draft.ts";
import { yamlOf } from "./yaml.ts";

/** The text of a draft, and what it means. */
export interface Written {
  readonly text: string;
  readonly configuration: Configuration;
  readonly warnings: Loaded["warnings"];
}

/**
 * Writes a draft, and reads it back.
 * @param now milliseconds since the epoch
 * @throws Error where what was written is not valid, which would be a mistake of this program
 */
export function writtenOf(draft: Draft, file: string, now: number): Written {
  const text = yamlOf(draft, new Date(now).toISOString().slice(0, 10));
  const loaded = loadConfiguration(text, file, vocabulary, now);
  if ("configuration" in loaded) return { text, ...loaded };
  const [first] = loaded.problems;
  throw new Error(`init generated an invalid file: line ${first?.line}: ${first?.message}`);
}

/** Parses a draft into a configuration. */
export function configurationOf(draft: Draft): Configuration {
  return writtenOf(draft, "the draft", 0).configuration;
}
