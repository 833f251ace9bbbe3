/** The monitor itself, as one more component: every function may report of it, and incidents of it are kept apart from those of targets. */
import type { Component } from "./config/model.ts";

/** The built-in component that stands for the monitor. No configuration may have another of this name. */
export const monitorComponent: Component = {
  name: "pathkeeper",
  title: "Pathkeeper itself",
  layer: "platform",
  dependsOn: [],
};

/** The group in which functions report of the monitor itself; no probe group has this name. */
export const selfGroup = "self";
