/**
 * One directory of the simulated disk: its names as programs see them, and how to undo every change of a name
 * that a power loss may still undo. A rename survives as a whole or not at all. Knows nothing of contents.
 */
import type { CrashChoices } from './crash-choices.ts';
import type { FileInode } from './file-inode.ts';

export type Inode = FileInode | DirectoryInode;

interface NameChange {
  readonly sequence: number;
  readonly name: string;
  /** What had the name, and what has it now. */
  readonly before: Inode | undefined;
  readonly after: Inode | undefined;
  /** The name that `after` had, if this is a rename. */
  readonly from: string | undefined;
}

export class DirectoryInode {
  readonly kind = 'directory';
  #entries = new Map<string, Inode>();
  #changes: NameChange[] = [];
  #forgotten = 0;

  get pendingChanges(): number {
    return this.#changes.length;
  }

  get(name: string): Inode | undefined {
    return this.#entries.get(name);
  }

  entries(): IterableIterator<[string, Inode]> {
    return this.#entries.entries();
  }

  /** In lexical order. */
  names(): string[] {
    return [...this.#entries.keys()].sort();
  }

  link(name: string, inode: Inode, sequence: number): void {
    this.#note({ sequence, name, before: this.#entries.get(name), after: inode, from: undefined });
    this.#entries.set(name, inode);
  }

  unlink(name: string, sequence: number): void {
    this.#note({ sequence, name, before: this.#entries.get(name), after: undefined, from: undefined });
    this.#entries.delete(name);
  }

  /** Replaces what `to` names. */
  rename(from: string, to: string, sequence: number): void {
    const after = this.#entries.get(from)!;
    this.#note({ sequence, name: to, before: this.#entries.get(to), after, from });
    this.#entries.delete(from);
    this.#entries.set(to, after);
  }

  syncBegan(): number {
    return this.#forgotten + this.#changes.length;
  }

  syncEnded(upTo: number): void {
    const count = upTo - this.#forgotten;
    if (count <= 0) return;
    this.#changes = this.#changes.slice(count);
    this.#forgotten = upTo;
  }

  /** Makes names and everything below what a power loss leaves of them. */
  crash(choices: CrashChoices): void {
    const changes = this.#changes;
    this.#changes = [];
    this.#forgotten = 0;
    for (const change of [...changes].reverse()) this.#undo(change);
    for (const change of changes) {
      if (choices.keepsName(change.sequence, change.from !== undefined)) this.#redo(change);
    }
    for (const name of this.names()) this.#entries.get(name)!.crash(choices);
  }

  /** With everything below; files share memory until they are changed. */
  copy(copies: Map<Inode, Inode>): DirectoryInode {
    const copy = new DirectoryInode();
    copies.set(this, copy);
    const copyOf = (inode: Inode): Inode => {
      const known = copies.get(inode);
      if (known !== undefined) return known;
      const made = inode.kind === 'file' ? inode.copy() : inode.copy(copies);
      copies.set(inode, made);
      return made;
    };
    for (const [name, inode] of this.#entries) copy.#entries.set(name, copyOf(inode));
    copy.#changes = this.#changes.map((change) => ({
      ...change,
      before: change.before && copyOf(change.before),
      after: change.after && copyOf(change.after),
    }));
    copy.#forgotten = this.#forgotten;
    return copy;
  }

  #note(change: NameChange): void {
    this.#changes.push(change);
  }

  #undo({ name, before, after, from }: NameChange): void {
    if (before === undefined) this.#entries.delete(name);
    else this.#entries.set(name, before);
    if (from !== undefined) this.#entries.set(from, after!);
  }

  #redo({ name, after, from }: NameChange): void {
    // What a lost change would have moved here or away may be elsewhere; no file ever has two names.
    if (after !== undefined && from !== undefined) {
      for (const [other, inode] of this.#entries) if (inode === after) this.#entries.delete(other);
    }
    if (after === undefined) this.#entries.delete(name);
    else this.#entries.set(name, after);
  }
}
