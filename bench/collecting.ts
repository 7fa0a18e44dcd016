/**
 * Loaded with `--import` into a process started with `--expose-gc`: on any message from the benchmark, it collects
 * its garbage and says so.
 */
process.on('message', () => {
  for (let i = 0; i < 3; i++) globalThis.gc?.();
  process.send?.('collected');
});
process.channel?.unref();
