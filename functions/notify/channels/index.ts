/** All kinds of channels. Configuration, documentation and contract tests are derived from this list. */
import type { AnyChannelKind } from "../channel.ts";
import { discord } from "./discord.ts";
import { email } from "./email.ts";
import { googleChat } from "./google_chat.ts";
import { mattermost } from "./mattermost.ts";
import { opsgenie } from "./opsgenie.ts";
import { pagerduty } from "./pagerduty.ts";
import { slack } from "./slack.ts";
import { statusPage } from "./status_page.ts";
import { teams } from "./teams.ts";
import { telegram } from "./telegram.ts";
import { webhook } from "./webhook.ts";

/** Channel kinds by name. */
export const channels: Readonly<Record<string, AnyChannelKind>> = {
  email,
  webhook,
  slack,
  google_chat: googleChat,
  teams,
  discord,
  mattermost,
  telegram,
  pagerduty,
  opsgenie,
  status_page: statusPage,
};
