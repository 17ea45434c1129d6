/** The floors of one run. Each is measured when the first row asks for it, while nothing of ours runs, and then kept. */
import type { LatencySummary } from '../histogram.ts';
import type { RowResult } from '../row.ts';
import { appendBytesPerS, syncLatency } from './disk-floor.ts';
import { type NetworkPeer, withPeer } from './network-floor.ts';

type NetworkKind = 'grpcUp' | 'grpcDown' | 'tcpUp';

const NETWORK_TITLES: Readonly<Record<NetworkKind, string>> = {
  grpcUp: 'gRPC stream, client to server',
  grpcDown: 'gRPC stream, server to client',
  tcpUp: 'TCP',
};

export class Floors {
  readonly #folder: string;
  readonly #measureMs: number;
  readonly #network = new Map<string, number>();
  readonly #results: RowResult[] = [];
  #sync: LatencySummary | undefined;

  constructor(folder: string, measureMs: number) {
    this.#folder = folder;
    this.#measureMs = measureMs;
  }

  /** Everything measured so far, as rows of the table. */
  get results(): readonly RowResult[] {
    return this.#results;
  }

  /** Bytes per second between two processes, in messages of that size. */
  async bytesPerS(kind: NetworkKind, messageBytes: number): Promise<number> {
    const key = `${kind} ${messageBytes}`;
    let rate = this.#network.get(key);
    if (rate === undefined) {
      rate = await withPeer((peer: NetworkPeer) => peer[kind](messageBytes, this.#measureMs));
      this.#network.set(key, rate);
      this.#addRate(`floor: ${NETWORK_TITLES[kind]}, ${messageBytes / 1024} KiB messages`, rate);
    }
    return rate;
  }

  /** Append and `fdatasync` of 4 KiB, one at a time. */
  sync(): LatencySummary {
    if (this.#sync === undefined) {
      const summary = syncLatency(this.#folder, this.#measureMs);
      this.#sync = summary;
      this.#results.push({
        title: 'floor: append 4 KiB and fdatasync',
        figure: { value: 1000 / summary.meanMs, unit: 'syncs/s' },
        details: { 'p50 ms': summary.p50Ms, 'p99 ms': summary.p99Ms, 'max ms': summary.maxMs },
      });
    }
    return this.#sync;
  }

  /** Bytes per second into the page cache through one file. */
  append(pieceBytes: number): number {
    const rate = appendBytesPerS(this.#folder, pieceBytes, this.#measureMs);
    this.#addRate(`floor: writeSync at the end of a file, ${pieceBytes / 1024} KiB pieces`, rate);
    return rate;
  }

  #addRate(title: string, bytesPerS: number): void {
    this.#results.push({ title, figure: { value: bytesPerS / 1e6, unit: 'MB/s' }, details: {} });
  }
}
