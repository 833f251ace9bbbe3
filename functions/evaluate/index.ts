/** Entry of the evaluate function: wiring. The Functions Framework finds the function by its name. */
import type { HttpFunction } from "@google-cloud/functions-framework";
import { connect } from "../../shared/adapters/select.ts";
import { pushFunction } from "../../shared/shell.ts";
import { evaluateHandler } from "./handler.ts";
import { planOf } from "./plan.ts";
import { heartbeatTo } from "./self/heartbeat.ts";

const world = await connect(process.env);

const { heartbeat } = world.configuration;
const ports = { ...world, ...(heartbeat === undefined ? {} : { beat: heartbeatTo(heartbeat, world.secrets) }) };

/** Takes in reports and ticks. */
export const evaluate: HttpFunction = pushFunction(
  "evaluate",
  world,
  evaluateHandler(ports, planOf(world.configuration)),
);
