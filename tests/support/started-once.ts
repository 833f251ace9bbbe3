/** Asks for what is started once in a run of the tests: see `started-once.setup.ts`. */
import { inject } from "vitest";

/** Google's emulators, a browser, and the functions as they are deployed. */
export type OnceName = "firestore" | "pubsub" | "browser" | "bundles";

/** Location of the service, or the reason why it could not be started. */
export type Whereabouts = { readonly where: string } | { readonly problem: string };

/**
 * Waits until it runs. It belongs to the other files of tests as well: keep to a project, a page or a folder of your own.
 * @returns the address of an emulator, `HOST:PORT`; the endpoint of the browser; the folder of the bundles
 * @throws Error that says what is missing
 */
export async function startedOnce(name: OnceName): Promise<string> {
  const answer = (await (await fetch(`${inject("startedOnce")}/${name}`)).json()) as Whereabouts;
  if ("problem" in answer) throw new Error(answer.problem);
  return answer.where;
}
