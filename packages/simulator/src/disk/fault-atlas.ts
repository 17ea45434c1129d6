/**
 * Where damage at rest may go, so that every extent keeps enough good copies among the replicas: a log that is
 * damaged on all of them is lost for any system. Source: TigerBeetle's cluster fault atlas.
 */

/** Names everything on a disk: damage that may touch any extent, as that of a journal. */
export const WHOLE_DISK = '*';

export class FaultAtlas {
  readonly #copiesOf: (extent: string) => readonly string[];
  readonly #goodCopiesMin: number;
  /** Disks with damage, by extent. */
  readonly #damaged = new Map<string, Set<string>>();

  /**
   * @param copiesOf the disks that hold a replica of the extent now.
   * @param goodCopiesMin how many of them must stay undamaged.
   */
  constructor(copiesOf: (extent: string) => readonly string[], goodCopiesMin = 1) {
    this.#copiesOf = copiesOf;
    this.#goodCopiesMin = goodCopiesMin;
  }

  /** Whether `extent` may be damaged on `disk`; if so, that counts from now on until it is repaired. */
  claim(disk: string, extent: string): boolean {
    const touched = extent === WHOLE_DISK ? [...this.#damaged.keys()] : [extent];
    if (!touched.every((one) => this.#mayDamage(disk, one))) return false;
    if (extent === WHOLE_DISK && !this.#mayDamageAnything(disk)) return false;
    const disks = this.#damaged.get(extent) ?? new Set();
    disks.add(disk);
    this.#damaged.set(extent, disks);
    return true;
  }

  /** The replica holds good bytes again, from another one. @param extent all of the disk if it is WHOLE_DISK */
  repaired(disk: string, extent: string): void {
    if (extent !== WHOLE_DISK) this.#damaged.get(extent)?.delete(disk);
    else for (const disks of this.#damaged.values()) disks.delete(disk);
  }

  #mayDamage(disk: string, extent: string): boolean {
    if (extent === WHOLE_DISK) return this.#mayDamageAnything(disk);
    const copies = this.#copiesOf(extent);
    const damaged = this.#disksOf(extent);
    const good = copies.filter((copy) => copy !== disk && !damaged.has(copy));
    return !copies.includes(disk) || good.length >= this.#goodCopiesMin;
  }

  /** Extents nobody has claimed yet are on unknown disks: only one disk may have damage that touches everything. */
  #mayDamageAnything(disk: string): boolean {
    return [...(this.#damaged.get(WHOLE_DISK) ?? [])].every((other) => other === disk);
  }

  #disksOf(extent: string): ReadonlySet<string> {
    return new Set([...(this.#damaged.get(extent) ?? []), ...(this.#damaged.get(WHOLE_DISK) ?? [])]);
  }
}

/** What a file of a data directory is a part of: its partition, or the whole disk for what partitions share. */
export function extentOf(path: string): string {
  const folder = path.split('/').at(-2) ?? '';
  return /-\d+$/.test(folder) ? folder : WHOLE_DISK;
}
