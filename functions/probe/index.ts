/** Entry point of the probe function: wires its dependencies. The Functions Framework finds the function by its name. */
import type { HttpFunction } from "@google-cloud/functions-framework";
import { connect } from "../../shared/adapters/select.ts";
import { awaitedIn, heartbeatsIn } from "../../shared/documents/heartbeats.ts";
import { replaceDnsLookup } from "../../shared/net/lookup.ts";
import { pushFunction } from "../../shared/runtime/shell.ts";
import { probeHandler } from "./handler.ts";
import { syntheticHandler, syntheticPath } from "./run/synthetic.ts";

replaceDnsLookup();

const world = await connect(process.env);
const ports = { ...world, beats: heartbeatsIn(world.store), awaited: awaitedIn(world.store) };
const pushed = pushFunction("probe", ports, probeHandler(ports));
const synthetic = syntheticHandler(ports, process.env);

// Cloud Monitoring calls a function without a path, so a function that serves a synthetic monitor gets the name of its probe from the
// environment.
const only = process.env["PATHKEEPER_SYNTHETIC"];

/** Answers probe requests, and requests of Cloud Monitoring that run a probe as a synthetic monitor. */
export const probe: HttpFunction = (request, response) => {
  if (only !== undefined) return synthetic(request, response, only);
  if (request.path.startsWith(syntheticPath))
    return synthetic(request, response, request.path.slice(syntheticPath.length));
  return pushed(request, response);
};
