/** Finds free ports for servers that need to know their port before they start. */
import { once } from "node:events";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { dirname } from "node:path";

/** A TCP port of 127.0.0.1 that was free a moment ago. Servers of our own listen on port 0 instead, which cannot be lost to another. */
export async function freePort(): Promise<number> {
  return (await tried(0)) ?? freePort();
}

/**
 * The port that `file` remembers, where it is still free; else another, which it remembers from now on. For servers whose address is kept
 * elsewhere across restarts, as that of an inbox is in a notice that still has to be sent.
 */
export async function keptPort(file: string): Promise<number> {
  const kept = Number(await readFile(file, "utf8").catch(() => "0"));
  const port = (kept > 0 ? await tried(kept) : undefined) ?? (await freePort());
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, `${port}\n`);
  return port;
}

/** The port if it can be listened on, any free one for 0. */
async function tried(port: number): Promise<number | undefined> {
  const server = createServer();
  server.listen(port, "127.0.0.1");
  try {
    await once(server, "listening");
  } catch {
    return undefined;
  }
  const { port: free } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return free;
}
