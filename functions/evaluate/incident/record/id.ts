/** Ids of incidents. */

/** `yyyymmdd-hhmmss-component`, with a number behind it where that is taken. */
export function incidentId(at: number, component: string, avoid: ReadonlySet<string> = new Set()): string {
  const digits = new Date(at).toISOString().replaceAll(/[-:]/g, "");
  const id = `${digits.slice(0, 8)}-${digits.slice(9, 15)}-${component}`;
  let free = id;
  for (let number = 2; avoid.has(free); number++) free = `${id}-${number}`;
  return free;
}
