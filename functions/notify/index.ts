/** Entry of the notify function: wiring. The Functions Framework finds the function by its name. */
import type { HttpFunction } from "@google-cloud/functions-framework";
import { connect } from "../../shared/adapters/select.ts";
import { pushFunction } from "../../shared/shell.ts";
import { channels } from "./channels/index.ts";
import { notifyHandler } from "./handler.ts";
import { sender } from "./send.ts";

const world = await connect(process.env);

/** Tells people. */
export const notify: HttpFunction = pushFunction(
  "notify",
  world,
  notifyHandler({ ...world, kinds: channels, send: sender(world.secrets) }),
);
