/** For tests: a disk in memory on which syncs may take as long as a test wants. */
import { Deferred } from '@millrace/core';
import { type DiskFile, MemoryFileSystem } from '@millrace/storage';

export class StallingDisk extends MemoryFileSystem {
  #stall: Deferred<void> | undefined;

  /** From now on syncs wait. @returns ends it. */
  stall(): () => void {
    const stall = new Deferred<void>();
    this.#stall = stall;
    return () => {
      this.#stall = undefined;
      stall.resolve();
    };
  }

  override openSync(path: string, options?: { readonly create?: boolean }): DiskFile {
    const file = super.openSync(path, options);
    const datasync = file.datasync.bind(file);
    file.datasync = async () => {
      await this.#stall?.promise;
      await datasync();
    };
    return file;
  }
}
