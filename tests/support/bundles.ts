/** The functions as deployed, for runs of the local system. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readConfigurationFile } from "../../cli/configuration.ts";
import { bundle } from "../../scripts/bundle/bundle.ts";
import { functionNames } from "../../scripts/bundle/names.ts";

/** Bundles each function into a folder below `where`, with both the local engines and those of the cloud. */
export async function bundledFunctions(): Promise<{ readonly where: string; stop(): Promise<void> }> {
  const where = await mkdtemp(join(tmpdir(), "pathkeeper-bundles-"));
  // Any configuration can be packed in, because a run brings its own.
  const { loaded } = await readConfigurationFile("examples/netra-staging/monitor.yaml");
  if (!("configuration" in loaded)) throw new Error("the example is not right");
  const { configuration } = loaded;
  for (const name of functionNames) {
    await bundle({ name, configuration, directory: join(where, name), embedded: true });
  }
  return { where, stop: () => rm(where, { recursive: true }) };
}
