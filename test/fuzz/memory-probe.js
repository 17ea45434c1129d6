/**
 * Loaded into a node under test before the node itself: tells what memory is in use once garbage is collected, and how
 * much processor time the node took at most before it turned to others.
 */
const LOOK_EVERY_MS = 20;

/** Of the thread that serves alone, where Node can tell: collectors, compilers and the disk use others. */
const cpuUsage = process.threadCpuUsage?.bind(process) ?? process.cpuUsage.bind(process);

const usedMs = () => {
  const { user, system } = cpuUsage();
  return (user + system) / 1_000;
};

let lastMs = usedMs();
let longestTurnMs = 0;

const look = () => {
  const nowMs = usedMs();
  longestTurnMs = Math.max(longestTurnMs, nowMs - lastMs);
  lastMs = nowMs;
};
setInterval(look, LOOK_EVERY_MS).unref();

process.on('message', () => {
  look();
  // Twice: what finalizers let go of in the first round goes in the second.
  globalThis.gc();
  globalThis.gc();
  const { heapUsed, arrayBuffers, rss } = process.memoryUsage();
  process.send({ heapBytes: heapUsed, bufferBytes: arrayBuffers, residentBytes: rss, longestTurnMs });
  longestTurnMs = 0;
  lastMs = usedMs();
});
