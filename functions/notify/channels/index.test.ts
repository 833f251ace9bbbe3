import { channelContract } from "../channel.contract.ts";
import { channels } from "./index.ts";

for (const [name, kind] of Object.entries(channels)) channelContract(name, kind);
