/** Entry of the probe function under the Functions Framework. */
import { http } from "@google-cloud/functions-framework";
import { connect } from "../../shared/adapters/select.ts";
import { pushFunction } from "../../shared/shell.ts";
import { probeHandler } from "./handler.ts";

const world = await connect(process.env);

http("probe", pushFunction("probe", world, probeHandler(world)));
