/** The shell that the three functions share: one push request in, one answer out, one structured line of log. */
import type { Request, Response } from "@google-cloud/functions-framework";
import { MalformedMessage } from "../messages/parse.ts";
import { decodePush, isJson, type PushedMessage } from "../messages/push.ts";
import type { Logger, Publisher } from "../ports.ts";
import { subscriptions, topics } from "../topology.ts";
import { forRequest } from "./logger.ts";

/** Thrown by a handler for work that is not done yet and shall be delivered again: an answer that is not a success, and no error. */
export class TryAgain extends Error {
  override readonly name = "TryAgain";
}

/** Options of a shell besides the handler. */
export interface ShellPorts {
  readonly logger: Logger;
  readonly publisher: Publisher;
  /** Maximum duration of a message, in milliseconds. @default less than the subscriptions of the function wait for an answer */
  readonly limitMs?: number;
  /** Ends the process, so that another takes its place. @default process.exit */
  readonly exit?: () => void;
}

/** Margin before the deadline of its subscriptions in which a function responds, in milliseconds. */
const marginMs = 5_000;

/**
 * Turns a handler of pushed messages into an HTTP function. Answers 204 when the handler is done, which acknowledges the message; 503 for
 * `TryAgain` and 500 for any other error, after which the subscription redelivers. A message that no redelivery can repair would slow its
 * whole subscription down, so it is acknowledged and sent to the dead-letter topic at once. A handler that exceeds the limit is answered
 * with 503; one that exceeds twice the limit never ends, so the process exits. A body that is not JSON does not come from Pub/Sub: it is
 * answered with 415 and dropped.
 */
export function pushFunction(
  name: string,
  ports: ShellPorts,
  handle: (message: PushedMessage, path: string) => Promise<void>,
): (request: Request, response: Response) => Promise<void> {
  const answer = async (request: Request, response: Response): Promise<void> => {
    if (request.method === "GET") {
      // Not by `send`, which loads cryptography for a tag of the text.
      response.status(200).type("text/plain").end(`${name} is ready\n`);
      return;
    }
    const type = request.get("content-type");
    // Without a content type, the framework reads no body.
    if (type === undefined ? (request.body ?? undefined) === undefined : !isJson(type)) {
      response.status(415).type("text/plain").end("the content-type must be application/json\n");
      return;
    }
    try {
      await limited(name, ports, handle(decodePush(request.body), request.path));
      response.status(204).end();
    } catch (error) {
      if (error instanceof MalformedMessage) {
        await bury(name, ports, request.body, error, response);
      } else if (error instanceof TryAgain) {
        ports.logger.info(`${name}: ${error.message}`);
        response.status(503).send(error.message);
      } else {
        const reason = error instanceof Error ? error.message : String(error);
        ports.logger.error(`${name} failed, the message will be delivered again: ${reason}`, {
          stack_trace: error instanceof Error ? error.stack : undefined,
        });
        response.status(500).send(reason);
      }
    }
  };
  return (request, response) => forRequest(request.get("x-cloud-trace-context"), () => answer(request, response));
}

/**
 * Waits for work, and no longer than the limit.
 * @throws TryAgain where it takes longer
 */
async function limited(name: string, ports: ShellPorts, work: Promise<void>): Promise<void> {
  const { limitMs = limitOf(name), logger, exit = () => process.exit(1) } = ports;
  let timer: NodeJS.Timeout | undefined;
  const tooLong = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      timer = setTimeout(() => {
        logger.error(`${name} hangs: a message was not done after ${(2 * limitMs) / 1000} s, so the process ends`);
        exit();
      }, limitMs).unref();
      reject(new TryAgain(`the message was not done within ${limitMs / 1000} s`));
    }, limitMs);
  });
  const ended = work.finally(() => clearTimeout(timer));
  await Promise.race([ended, tooLong]);
}

/** By the subscription that waits the least, which is also what the platform allows. */
function limitOf(name: string): number {
  const own = subscriptions.filter(({ target }) => target === name);
  return 1_000 * Math.min(120, ...own.map(({ ackDeadlineSeconds }) => ackDeadlineSeconds)) - marginMs;
}

async function bury(
  name: string,
  { logger, publisher }: ShellPorts,
  body: unknown,
  error: MalformedMessage,
  response: Response,
): Promise<void> {
  logger.error(`${name} cannot read a message, it goes to the dead letters: ${error.message}`);
  try {
    await publisher.publish(topics.deadLetters, [
      { data: body ?? null, attributes: { function: name, reason: error.message.slice(0, 1000) } },
    ]);
    response.status(204).end();
  } catch (failure) {
    logger.error(`${name} could not bury a message: ${failure instanceof Error ? failure.message : String(failure)}`);
    response.status(500).send("not buried");
  }
}
