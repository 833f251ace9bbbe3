/** Entry of the evaluate function: wiring. The Functions Framework finds the function by its name. */
import type { HttpFunction } from "@google-cloud/functions-framework";
import { connectMetrics } from "../../shared/adapters/metrics.ts";
import { connect } from "../../shared/adapters/select.ts";
import { scheduledCheck } from "../../shared/doctor/scheduled.ts";
import { lazily } from "../../shared/runtime/lazily.ts";
import { pushFunction } from "../../shared/runtime/shell.ts";
import { type EvaluatePorts, evaluateHandler } from "./handler.ts";
import { watchdogTo } from "./monitor/watchdog.ts";
import { planOf } from "./plan.ts";

const world = await connect(process.env);

const { watchdog, environment } = world.configuration;
const metrics = await connectMetrics(process.env, environment);
const drift = scheduledCheck(process.env, world);
const ports: EvaluatePorts = {
  ...world,
  ...(watchdog === undefined ? {} : { signal: watchdogTo(watchdog, world.secrets) }),
  ...(metrics === undefined ? {} : { metrics }),
  ...(drift === undefined ? {} : { drift }),
};

/** Monthly cost estimated by `npm run build`; 0 if there was no estimate. */
const monthly = Number(process.env["PATHKEEPER_MONTHLY_COST"] ?? 0);

// The plan belongs to the first message: what is built for the cloud was planned once already, when it was built.
const handler = lazily(() =>
  evaluateHandler(ports, planOf(world.configuration), { frontPage: monthly > 0 ? { monthlyCost: monthly } : {} }),
);

/** Takes in reports and ticks. */
export const evaluate: HttpFunction = pushFunction("evaluate", world, (message, path) => handler()(message, path));
