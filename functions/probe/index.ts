/** Entry of the probe function: wiring. The Functions Framework finds the function by its name. */
import type { HttpFunction } from "@google-cloud/functions-framework";
import { connect } from "../../shared/adapters/select.ts";
import { pushFunction } from "../../shared/shell.ts";
import { probeHandler } from "./handler.ts";

const world = await connect(process.env);

/** Answers probe requests. */
export const probe: HttpFunction = pushFunction("probe", world, probeHandler(world));
