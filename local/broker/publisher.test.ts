import { BrokerPublisher } from "../../shared/adapters/broker.ts";
import { publisherContract, type Received } from "../../shared/adapters/publisher.contract.ts";
import { subscriptions } from "../../shared/topology.ts";
import { Broker } from "../engine/broker/broker.ts";
import { openReceiver } from "../engine/broker/receiver.ts";

for (const [name, connect] of [
  ["the broker over HTTP", async (broker: Broker) => new BrokerPublisher(await broker.listen())],
  ["the broker in its process", async (broker: Broker) => broker],
] as const) {
  publisherContract(name, async () => {
    const broker = await Broker.open({ duplicates: 0.5, disorderMs: 5 });
    const receiver = await openReceiver();
    for (const one of subscriptions.filter(({ target }) => target === "evaluate")) broker.subscribe(one, receiver.url);
    return {
      publisher: await connect(broker),
      received: (): Received[] =>
        receiver.pushes.map(({ path, message: { messageId, data, attributes } }) => ({
          topic: path.slice(1),
          id: messageId,
          data,
          attributes,
        })),
      close: async () => {
        await broker.close();
        await receiver.close();
      },
    };
  });
}
