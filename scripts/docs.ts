/** `npm run docs`: writes the reference pages. */
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { referencePages } from "./reference.ts";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
for (const [path, text] of referencePages()) {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), text);
}
