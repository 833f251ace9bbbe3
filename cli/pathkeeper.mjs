#!/usr/bin/env node
// Plain JavaScript, because it must run where TypeScript does not: under an older Node it starts the one that is installed beside it.
import { spawn } from "node:child_process";
import { realpathSync } from "node:fs";
import module, { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

if (process.features.typescript) {
  // Most of a short command's time goes into reading this program; what was read once is kept.
  module.enableCompileCache?.();
  const { main } = await import("./main.ts");
  process.exitCode = await main(process.argv.slice(2));
} else {
  startAgain(newerNode());
}

function newerNode() {
  try {
    const installed = dirname(createRequire(import.meta.url).resolve("node/package.json"));
    const node = realpathSync(join(installed, "bin", process.platform === "win32" ? "node.exe" : "node"));
    if (node !== realpathSync(process.execPath)) return node;
  } catch {
    // There is none: what is said below holds for that as well.
  }
  console.error(
    `pathkeeper needs Node 22.18 or newer that runs TypeScript, and this is ${process.version} without it: run npm install`,
  );
  process.exit(2);
}

/** @param {string} node */
function startAgain(node) {
  const program = fileURLToPath(import.meta.url);
  const child = spawn(node, [program, ...process.argv.slice(2)], { stdio: "inherit" });
  // A terminal sends Ctrl-C to both; it is for the child to end, and for this process to wait for its exit code.
  process.on("SIGINT", () => {});
  for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("error", (error) => {
    console.error(`pathkeeper cannot start ${node}: ${error.message}`);
    process.exitCode = 2;
  });
  child.on("exit", (code, signal) => {
    process.exitCode = code ?? (signal === "SIGINT" ? 130 : 143);
  });
}
