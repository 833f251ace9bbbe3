import { once } from "node:events";
import { connect } from "node:net";
import { expect, it } from "vitest";
import { openServers } from "./servers.ts";

it("ignores a message that its sender aborts midway", async () => {
  await using servers = await openServers();
  const socket = connect(Number(new URL(servers.smtp).port), "127.0.0.1");
  const lines = ["EHLO a", "MAIL FROM:<a@example.com>", "RCPT TO:<b@example.com>", "DATA"];
  for (const line of lines) {
    await once(socket, "data");
    socket.write(`${line}\r\n`);
  }
  await once(socket, "data");
  socket.end("Subject: half a mess");
  await once(socket, "close");
  expect(servers.violations).toEqual([]);
});
