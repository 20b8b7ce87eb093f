// Loaded into a gateway process with --import beside --expose-gc: says how large the heap is after a full collection.
process.on('message', (message) => {
  if (message?.type !== 'heap') return;
  globalThis.gc();
  setImmediate(() => {
    globalThis.gc();
    const { heapUsed, external, arrayBuffers } = process.memoryUsage();
    process.send({ type: 'heap_is', heapUsed, external, arrayBuffers });
  });
});
