/** Checks which secrets of a configuration can be read on this machine, and what needs each. */
import type { Configuration } from "../shared/config/model.ts";
import { placeholderSecrets } from "../shared/config/secret-reference.ts";
import type { Secrets } from "../shared/ports.ts";
import { secretsIn } from "./deployment/deployment.ts";

/** One secret of a configuration. */
export interface CheckedSecret {
  readonly name: string;
  /** References to it: `probe shop-login`, `channel ops-hook`. */
  readonly used_by: readonly string[];
  /** Why it cannot be used here; absent where it can. Never its value. */
  readonly reason?: string;
}

/** Reads every secret that a configuration refers to, in the order of their names. */
export function checkedSecrets(configuration: Configuration, secrets: Secrets): Promise<CheckedSecret[]> {
  const { probes, channels, control, watchdog } = configuration;
  const users = [
    ...probes.map(({ name, settings }) => [`probe ${name}`, secretsIn(settings)] as const),
    ...channels.map(({ name, settings }) => [`channel ${name}`, secretsIn(settings, placeholderSecrets)] as const),
    ["control", secretsIn(control)] as const,
    ["watchdog", secretsIn(watchdog)] as const,
  ];
  const names = [...new Set(users.flatMap(([, own]) => own))].sort();
  return Promise.all(
    names.map(async (name) => {
      const used_by = users.flatMap(([user, own]) => (own.includes(name) ? [user] : []));
      const reason = await secrets.read(name).then(
        (value) => (value.trim() === "" ? `secret "${name}" is empty` : undefined),
        (error: unknown) => (error instanceof Error ? error.message : String(error)),
      );
      return { name, used_by, ...(reason === undefined ? {} : { reason }) };
    }),
  );
}
