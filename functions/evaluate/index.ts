/** The evaluate function: wiring. */
import { http } from "@google-cloud/functions-framework";
import { connect } from "../../shared/adapters/select.ts";
import { pushFunction } from "../../shared/shell.ts";
import { evaluateHandler } from "./handler.ts";
import { planOf } from "./plan.ts";

const world = await connect(process.env);

http("evaluate", pushFunction("evaluate", world, evaluateHandler(world, planOf(world.configuration))));
