/**
 * The network between processes: a directed link for each ordered pair of names, made when first used. What blocks a
 * link is counted, so that overlapping partitions heal one by one. Knows nothing of connections; those watch it.
 */
import { invariant } from '@millrace/core';
import type { SimLife } from '../world/sim-process.ts';
import type { World } from '../world/world.ts';
import { CALM_LINK, Link, type LinkSettings } from './link.ts';

/** From one name to another. */
export type Direction = readonly [from: string, to: string];

export interface LinkWatcher {
  /** A link was blocked or opened. */
  onLinkChange(from: string, to: string): void;
}

/** Something in the way of some links, until healed. */
export interface Blockage {
  heal(): void;
}

export class SimNetwork {
  readonly world: World;
  #settings: LinkSettings;
  readonly #links = new Map<string, Map<string, Link>>();
  readonly #watchers = new Set<LinkWatcher>();
  readonly #blockages = new Set<Blockage>();
  #lastArrivalMs = 0;

  constructor(world: World, settings: LinkSettings = CALM_LINK) {
    this.world = world;
    this.#settings = settings;
  }

  link(from: string, to: string): Link {
    let row = this.#links.get(from);
    if (row === undefined) {
      row = new Map();
      this.#links.set(from, row);
    }
    let link = row.get(to);
    if (link === undefined) {
      link = new Link(from, to, this.#settingsOf(from, to), this.world.streams.network.fork());
      row.set(to, link);
    }
    return link;
  }

  /** Of every link, those to come too. */
  setAll(settings: LinkSettings): void {
    this.#settings = settings;
    for (const row of this.#links.values()) {
      for (const link of row.values()) link.settings = this.#settingsOf(link.from, link.to);
    }
  }

  /** A cut loses datagrams, a clog keeps them; streams wait at either, until their ends give up. */
  block(directions: readonly Direction[], kind: 'cut' | 'clog' = 'cut'): Blockage {
    const blockage: Blockage = {
      heal: () => {
        if (this.#blockages.delete(blockage)) this.#change(directions, kind, -1);
      },
    };
    this.#blockages.add(blockage);
    this.#change(directions, kind, 1);
    return blockage;
  }

  /** Nothing passes between members of different groups. Names in no group reach all. */
  partition(groups: readonly (readonly string[])[]): Blockage {
    const directions: Direction[] = [];
    for (const group of groups) {
      for (const other of groups) {
        if (other === group) continue;
        for (const from of group) for (const to of other) directions.push([from, to]);
      }
    }
    return this.block(directions);
  }

  /** Cuts one off from the others; in one direction only, if so asked: 'out' means that nobody hears it. */
  isolate(name: string, others: readonly string[], way: 'both' | 'in' | 'out' = 'both'): Blockage {
    const directions: Direction[] = [];
    for (const other of others) {
      if (other === name) continue;
      if (way !== 'in') directions.push([name, other]);
      if (way !== 'out') directions.push([other, name]);
    }
    return this.block(directions);
  }

  /** Ends every blockage; links are calm from here on. */
  heal(): void {
    for (const blockage of [...this.#blockages]) blockage.heal();
    this.setAll(CALM_LINK);
  }

  /** When the last datagram that is under way arrives. A healed network may still carry the voice of a dead leader. */
  get lastArrivalMs(): number {
    return this.#lastArrivalMs;
  }

  /** Sends what may be lost, repeated or overtaken. `deliver` runs for the life that stands at the far end by then. */
  datagram(from: SimLife, to: string, sizeBytes: number, deliver: (life: SimLife) => void): void {
    if (!from.isCurrent) return;
    const link = this.link(from.process.name, to);
    for (const delayMs of link.datagramDelaysMs(sizeBytes)) {
      this.#lastArrivalMs = Math.max(this.#lastArrivalMs, this.world.nowMs + delayMs);
      this.#carry(link, delayMs, deliver);
    }
  }

  /** @returns what ends it. */
  watch(watcher: LinkWatcher): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  /** A process reaches itself without a network. */
  #settingsOf(from: string, to: string): LinkSettings {
    return from === to ? CALM_LINK : this.#settings;
  }

  #carry(link: Link, delayMs: number, deliver: (life: SimLife) => void): void {
    const { world } = this;
    world.schedule(delayMs, () => {
      if (link.isCut) return;
      if (link.isBlocked) {
        this.#carry(link, link.delayMs(0) + CLOG_LOOK_MS, deliver);
        return;
      }
      const { life } = world.process(link.to);
      if (life !== undefined) world.schedule(0, () => deliver(life), life);
    });
  }

  #change(directions: readonly Direction[], kind: 'cut' | 'clog', by: 1 | -1): void {
    for (const [from, to] of directions) {
      invariant(from !== to, 'a process always reaches itself', { from });
      const link = this.link(from, to);
      const wasBlocked = link.isBlocked;
      link.block(kind, by);
      if (link.isBlocked === wasBlocked) continue;
      this.world.note(from, wasBlocked ? 'link opened to' : `link ${kind} to`, to);
      for (const watcher of this.#watchers) watcher.onLinkChange(from, to);
    }
  }
}

/** How often a datagram in a clogged link tries again. */
const CLOG_LOOK_MS = 50;
