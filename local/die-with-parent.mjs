// Loaded before a function by `--import`: the process ends with the one that started it, also when that one is killed outright.
process.channel?.unref();
process.on("disconnect", () => process.exit());
