/** Loaded into a node under test before the node itself: tells what memory is in use once garbage is collected. */
process.on('message', () => {
  // Twice: what finalizers let go of in the first round goes in the second.
  globalThis.gc();
  globalThis.gc();
  const { heapUsed, arrayBuffers, rss } = process.memoryUsage();
  process.send({ heapBytes: heapUsed, bufferBytes: arrayBuffers, residentBytes: rss });
});
