/** The machine's monotonic clock: processes on one machine can compare its readings. */

export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

export function sleepMs(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
