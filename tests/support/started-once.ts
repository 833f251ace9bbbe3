/** Returns services that are started once per test run: see `started-once.setup.ts`. */
import { inject } from "vitest";

/** Google's emulators, a browser, and the bundled functions. */
export type OnceName = "firestore" | "pubsub" | "browser" | "bundles";

/** Location of the service, or the reason why it could not be started. */
export type Whereabouts = { readonly where: string } | { readonly problem: string };

/**
 * Waits until the service runs. Other test files share it: use a project, a page or a folder of your own.
 * @returns the address of an emulator, `HOST:PORT`; the endpoint of the browser; the folder of the bundles
 * @throws Error that names what is missing
 */
export async function startedOnce(name: OnceName): Promise<string> {
  const answer = (await (await fetch(`${inject("startedOnce")}/${name}`)).json()) as Whereabouts;
  if ("problem" in answer) throw new Error(answer.problem);
  return answer.where;
}
