/** A structured log in a file, for what would disturb the live view. */

import { createWriteStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { structuredLogger } from "../shared/logger.ts";
import type { Logger } from "../shared/ports.ts";

/** Opens a logger that appends to `file`; its folder is made where it is missing. */
export async function fileLogger(file: string): Promise<Logger> {
  await mkdir(dirname(file), { recursive: true });
  const stream = createWriteStream(file, { flags: "a" });
  return structuredLogger((line) => stream.write(line));
}
