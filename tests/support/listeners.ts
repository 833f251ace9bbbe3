/** Lists the ports on which a process and its descendants listen, from /proc of Linux. */
import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";

/** A listening socket. */
export interface Listener {
  readonly pid: number;
  readonly port: number;
  /** Whether only this machine can reach it. */
  readonly isLoopback: boolean;
}

/** Whether this system exposes listening ports. */
export const listsListeners: boolean = existsSync("/proc/net/tcp");

/** Returns the TCP sockets on which `pid` and its descendants listen. */
export function listenersOf(pid: number): Listener[] {
  const sockets = new Map([...socketsIn("/proc/net/tcp"), ...socketsIn("/proc/net/tcp6")]);
  return [pid, ...descendantsOf(pid)].flatMap((one) =>
    inodesOf(one).flatMap((inode) => {
      const socket = sockets.get(inode);
      return socket === undefined ? [] : [{ pid: one, ...socket }];
    }),
  );
}

/** Returns listening sockets by their inodes. The columns: number, local address, remote address, state, …, and the inode as the tenth. */
function socketsIn(table: string): [inode: string, socket: Omit<Listener, "pid">][] {
  if (!existsSync(table)) return [];
  return readFileSync(table, "utf8")
    .split("\n")
    .slice(1)
    .flatMap((line): [string, Omit<Listener, "pid">][] => {
      const columns = line.trim().split(/\s+/);
      const [address = "", port = ""] = (columns[1] ?? "").split(":");
      if (columns[3] !== listening) return [];
      return [[columns[9] ?? "", { port: Number.parseInt(port, 16), isLoopback: loopback.test(address) }]];
    });
}

const listening = "0A";

/** 127.0.0.0/8, plain and mapped into IPv6, and ::1; the bytes of each word are in reverse order. */
const loopback = /^(0{16}F{4}0{4})?[0-9A-F]{6}7F$|^0{24}01000000$/;

function inodesOf(pid: number): string[] {
  const folder = `/proc/${pid}/fd`;
  return entriesOf(folder).flatMap((file) => {
    try {
      return /^socket:\[(\d+)\]$/.exec(readlinkSync(`${folder}/${file}`))?.[1] ?? [];
    } catch {
      return []; // closed meanwhile
    }
  });
}

function descendantsOf(pid: number): number[] {
  const parents = entriesOf("/proc").flatMap((name): [child: number, parent: number][] => {
    // After the name, which may contain anything: the state and the parent.
    const [, parent] = /\) \S (\d+) [^)]*$/.exec(read(`/proc/${name}/stat`)) ?? [];
    return parent === undefined ? [] : [[Number(name), Number(parent)]];
  });
  const below = (one: number): number[] =>
    parents.filter(([, parent]) => parent === one).flatMap(([child]) => [child, ...below(child)]);
  return below(pid);
}

function entriesOf(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // the process has ended
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
