/** Every kind of channel. Configuration, documentation and the contract tests follow from this list. */
import type { AnyChannelKind } from "../channel.ts";
import { email } from "./email.ts";
import { webhook } from "./webhook.ts";

/** The registry of channels, by kind. */
export const channels: Readonly<Record<string, AnyChannelKind>> = { email, webhook };
