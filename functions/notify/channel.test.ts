import { channelContract } from "./channel.contract.ts";
import { channels } from "./channels/index.ts";

for (const [name, kind] of Object.entries(channels)) channelContract(name, kind);
