import type { FileStore } from '../../application/ports/files/file-store.ts';

/** A store that is made when it is first used. */
export class LazyFileStore implements FileStore {
  readonly #make: () => Promise<FileStore>;
  #made: Promise<FileStore> | undefined;

  constructor(make: () => Promise<FileStore>) {
    this.#make = make;
  }

  readonly receive: FileStore['receive'] = async (...args) => (await this.#store()).receive(...args);
  readonly measure: FileStore['measure'] = async (...args) => (await this.#store()).measure(...args);
  readonly publish: FileStore['publish'] = async (...args) => (await this.#store()).publish(...args);
  readonly discard: FileStore['discard'] = async (...args) => (await this.#store()).discard(...args);
  readonly discardAbandoned: FileStore['discardAbandoned'] = async (...args) =>
    (await this.#store()).discardAbandoned(...args);
  readonly sizeOf: FileStore['sizeOf'] = async (...args) => (await this.#store()).sizeOf(...args);
  readonly open: FileStore['open'] = async (...args) => (await this.#store()).open(...args);
  readonly delete: FileStore['delete'] = async (...args) => (await this.#store()).delete(...args);
  readonly deleteAll: FileStore['deleteAll'] = async (...args) => (await this.#store()).deleteAll(...args);
  readonly presignUpload: FileStore['presignUpload'] = async (...args) =>
    (await this.#store()).presignUpload(...args);
  readonly presignDownload: FileStore['presignDownload'] = async (...args) =>
    (await this.#store()).presignDownload(...args);

  #store(): Promise<FileStore> {
    return (this.#made ??= this.#make());
  }
}
