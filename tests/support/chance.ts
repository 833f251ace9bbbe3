/** Runs fast-check with a fixed seed, so that a failure is always due to a change; `random` searches for new failures. */
import fc from "fast-check";
import { seed } from "./seed.ts";

fc.configureGlobal({ seed });

export * from "fast-check";
export { fc };
